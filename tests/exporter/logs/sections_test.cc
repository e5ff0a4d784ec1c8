#include "exporter/logs/sections.h"

#include <catch2/catch.hpp>

#include "tests/exporter/logs/fixtures.h"

namespace skep::logs {
namespace {

std::vector<std::string> Saved(const state::Section& section) {
  std::vector<std::string> records;
  section.Save([&](std::string_view record) { records.emplace_back(record); });
  return records;
}

TEST_CASE("Sections read what they have written", "[logs]") {
  SetClock clock;
  BookmarkSection bookmarks;
  TemplateSection templates;
  const auto store = OpenStore({&bookmarks, &templates}, clock);
  Bookmark bookmark{{1, 2}, 300,         Fingerprint::Of("head"), Fingerprint::Of("tail"), true,
                    false,  clock.Now(), "/a b/app.log.1",        "/a b/app.log"};
  KnownTemplates times;
  times.begin = clock.Now();
  times.learned = clock.Now();
  REQUIRE(store->Update([&](state::Changes& changes) -> Status {
    bookmarks.Put(changes, "app", bookmark);
    Bookmark gone = bookmark;
    gone.file = {3, 4};
    bookmarks.Put(changes, "app", gone);
    bookmarks.Remove(changes, "app", {3, 4});
    bookmarks.MarkSeen(changes, "app", "/a b/*.log");
    templates.Put(changes, "app", 7, {{1, 0, 4'000'000'000U}, clock.Now(), 20'000, true});
    templates.PutTimes(changes, "app", times);
    templates.PutDeployment(changes, clock.Now());
    return {};
  }));
  BookmarkSection other_bookmarks;
  for (const std::string& record : Saved(bookmarks)) CHECK(other_bookmarks.Restore(record));
  TemplateSection other_templates;
  for (const std::string& record : Saved(templates)) CHECK(other_templates.Restore(record));
  CHECK(Saved(other_bookmarks) == Saved(bookmarks));
  CHECK(Saved(other_templates) == Saved(templates));
  CHECK(other_bookmarks.HasSeen("app", "/a b/*.log"));
  const std::map<FileKey, Bookmark> restored = other_bookmarks.Of("app");
  REQUIRE(restored.size() == 1);
  const Bookmark& same = restored.begin()->second;
  CHECK(same.offset == 300);
  CHECK(same.tail == bookmark.tail);
  CHECK(same.skips_line);
  CHECK(!same.skips_record);
  CHECK(same.path == bookmark.path);
  CHECK(same.origin == bookmark.origin);
  CHECK(other_templates.Of("app").templates.at(7).tokens == TemplateTokens{1, 0, 4'000'000'000U});
  CHECK(other_templates.Of("app").begin == clock.Now());
  CHECK(other_templates.deployment() == clock.Now());
}

TEST_CASE("Sections refuse records that are none", "[logs]") {
  for (const std::string record :
       {"", "at", "at app", "at app 1 2 x 4 5 6 7 0 0 1 0 /a", "gone app 1", "gone app 1 2 3",
        "what app", "put app", "put app 1 2 3 4 x", "removed app", "times app 1", "deployment",
        "deployment x"}) {
    CAPTURE(record);
    CHECK(!BookmarkSection().Restore(record));
    CHECK(!TemplateSection().Restore(record));
  }
}

}  // namespace
}  // namespace skep::logs
