#include "exporter/stores/transcripts.h"

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "exporter/stores/transcript_lines.h"
#include "tests/exporter/swarm/rig.h"
#include "tests/support/temp_folder.h"

namespace skep::stores {
namespace {

using Lines = std::set<std::string>;
using namespace std::chrono_literals;
namespace fs = std::filesystem;

std::string ReadData(const std::string& name) {
  std::ifstream in(SKEP_SOURCE_DIR "/tests/data/claude_code/transcript/" + name, std::ios::binary);
  if (!in) throw std::runtime_error("no such data: " + name);
  return {std::istreambuf_iterator<char>(in), {}};
}

std::string Line(const std::string& session, const std::string& request, int input,
                 int output = 0) {
  return R"({"type":"assistant","timestamp":"2027-01-15T08:00:00.000Z","sessionId":")" + session +
         R"(","requestId":")" + request + R"(","message":{"id":"msg-)" + request +
         R"(","model":"opus","usage":{"input_tokens":)" + std::to_string(input) +
         R"(,"output_tokens":)" + std::to_string(output) +
         R"(},"content":[{"type":"text","text":"a secret"}]}})" + "\n";
}

// A folder of projects, and what looks at it.
class TranscriptRig {
 public:
  explicit TranscriptRig(const std::string& state = {})
      : swarm({.path = state, .more = {&offsets}}) {
    Make();
  }

  void Make(TranscriptOptions options = {}) {
    options.folders = {folder().path()};
    // The files are as old as the machine's clock says, not the clock set by hand.
    options.max_idle = std::chrono::hours(24 * 36'500);
    transcripts = std::make_unique<Transcripts>(
        options, offsets, TranscriptSinks{swarm.sessions, *swarm.flow, *swarm.board, *swarm.store},
        swarm.clock, Logger::Silent());
  }

  void Append(const std::string& name, const std::string& text) {
    const fs::path path = folder().File(name);
    fs::create_directories(path.parent_path());
    std::ofstream(path, std::ios::binary | std::ios::app) << text;
  }

  double Tokens(const std::string& agent_type, const std::string& kind) {
    return swarm.Value(R"(swarm_llm_tokens_total{agent_type=")" + agent_type +
                       R"(",model="opus",token_type=")" + kind + R"("})");
  }

  skep::test::TempFolder& folder() { return *folder_; }
  void Share(const std::shared_ptr<skep::test::TempFolder>& other) {
    folder_ = other;
    Make();
  }

  TranscriptOffsets offsets;
  swarm::test::Rig swarm;
  std::unique_ptr<Transcripts> transcripts;

 private:
  std::shared_ptr<skep::test::TempFolder> folder_ = std::make_shared<skep::test::TempFolder>();
};

TEST_CASE("The recorded transcript counts each request once", "[transcripts]") {
  TranscriptRig rig;
  rig.transcripts->Poll();  // the folder is empty: what comes is new
  rig.Append("project/57b86c49.jsonl", ReadData("assistant-lines.trimmed.jsonl"));
  for (int i = 0; i < 3; ++i) rig.transcripts->Poll();
  CHECK(rig.swarm.Of("swarm_llm_tokens_total") ==
        Lines{R"(swarm_llm_tokens_total{agent_type="main",model="claude-opus-5-5",)"
              R"(token_type="cache_read"} 1000)",
              R"(swarm_llm_tokens_total{agent_type="main",model="claude-opus-5-5",)"
              R"(token_type="input"} 2000)",
              R"(swarm_llm_tokens_total{agent_type="main",model="claude-opus-5-5",)"
              R"(token_type="output"} 59)"});
  const auto page = rig.transcripts->MakeCollector();
  const Lines lines = rig.swarm.Page({page.get()});
  CHECK(lines.contains(R"(skep_exporter_transcript_lines_total{result="counted"} 3)"));
  CHECK(lines.contains(R"(swarm_source_up{source="claude_code_transcripts"} 1)"));
}

TEST_CASE("Subagents count under their type, from the file beside their transcript",
          "[transcripts]") {
  TranscriptRig rig;
  rig.transcripts->Poll();
  rig.Append("project/s/subagents/agent-a1.meta.json", ReadData("subagent.meta.json"));
  rig.Append("project/s/subagents/agent-a1.jsonl", Line("s", "r1", 10));
  rig.Append("project/s/subagents/agent-a2.jsonl", Line("s", "r2", 5));
  rig.transcripts->Poll();
  CHECK(rig.Tokens("general-purpose", "input") == 10);
  CHECK(rig.Tokens("unknown", "input") == 5);
}

TEST_CASE("What was written before the first look is history", "[transcripts]") {
  TranscriptRig rig;
  rig.Append("project/s.jsonl", Line("s", "old", 1000));
  rig.transcripts->Poll();
  CHECK(rig.swarm.Of("swarm_llm_tokens_total").empty());
  rig.Append("project/s.jsonl", Line("s", "new", 10));
  rig.Append("project/t.jsonl", Line("t", "new", 7));
  rig.transcripts->Poll();
  CHECK(rig.Tokens("main", "input") == 17);
}

TEST_CASE("A file that is not followed for a while goes on where it was read to", "[transcripts]") {
  TranscriptRig rig;
  TranscriptOptions options;
  options.max_files = 1;
  options.max_offsets = 1;
  rig.Make(options);
  for (const char* name : {"p/a.jsonl", "p/b.jsonl", "p/c.jsonl"}) {
    rig.Append(name, Line(name, "old", 1000));
  }
  rig.transcripts->Poll();
  const auto resumed = fs::file_time_type::clock::now() + 1h;
  rig.Append("p/a.jsonl", Line("p/a.jsonl", "new", 10));
  fs::last_write_time(rig.folder().File("p/a.jsonl"), resumed);
  rig.transcripts->Poll();
  CHECK(rig.Tokens("main", "input") == 10);
}

TEST_CASE("Half a line waits for its other half", "[transcripts]") {
  TranscriptRig rig;
  rig.transcripts->Poll();
  const std::string line = Line("s", "r", 10);
  rig.Append("p/s.jsonl", line.substr(0, 40));
  rig.transcripts->Poll();
  rig.transcripts->Poll();
  CHECK(rig.swarm.Of("swarm_llm_tokens_total").empty());
  rig.Append("p/s.jsonl", line.substr(40));
  rig.transcripts->Poll();
  CHECK(rig.Tokens("main", "input") == 10);
}

TEST_CASE("Broken lines and unknown kinds cost themselves only", "[transcripts]") {
  TranscriptRig rig;
  rig.transcripts->Poll();
  rig.Append("p/s.jsonl", "{\n[]\n\xff\xfe\n{\"type\":\"user\",\"message\":\"secret\"}\n" +
                              Line("s", "r", 10) + "{\"type\":\"assistant\",\"message\":7}\n");
  rig.transcripts->Poll();
  CHECK(rig.Tokens("main", "input") == 10);
  const auto page = rig.transcripts->MakeCollector();
  const Lines lines = rig.swarm.Page({page.get()});
  CHECK(lines.contains(R"(skep_exporter_transcript_lines_total{result="broken"} 3)"));
  CHECK(lines.contains(R"(skep_exporter_transcript_lines_total{result="other"} 2)"));
}

TEST_CASE("The largest numbers of a request's lines count", "[transcripts]") {
  const TranscriptRead read = ReadTranscriptLines(
      {Line("s", "r", 10, 1), Line("s", "r", 10, 42), Line("s", "r", 10, 3), Line("t", "r", 5)});
  REQUIRE(read.requests.size() == 2);
  CHECK(read.requests[0].tokens.input == 10);
  CHECK(read.requests[0].tokens.output == 42);
  CHECK(read.requests[1].session == "t");
  CHECK(read.counted == 4);
}

TEST_CASE("Offsets and counters go together over restarts", "[transcripts]") {
  const skep::test::TempFolder state;
  const auto folder = std::make_shared<skep::test::TempFolder>();
  double expected = 0;
  for (int i = 0; i < 5; ++i) {
    CAPTURE(i);
    TranscriptRig rig(state.path());
    rig.Share(folder);
    rig.transcripts->Poll();
    rig.Append("p/s.jsonl", Line("s", std::to_string(i), 10));
    rig.Append("p/" + std::to_string(i) + ".jsonl", Line("x", std::to_string(i), 1));
    expected += 11;
    if (i % 2 == 0) rig.transcripts->Poll();
    if (i % 2 == 0) CHECK(rig.Tokens("main", "input") == expected);
  }
  TranscriptRig rig(state.path());
  rig.Share(folder);
  rig.transcripts->Poll();
  CHECK(rig.Tokens("main", "input") == expected);
}

TEST_CASE("Tokens that OTLP told are not counted again", "[transcripts]") {
  TranscriptRig rig;
  rig.transcripts->Poll();
  rig.swarm.Do([&](state::Changes& changes) {
    swarm::Sessions::Unit unit(rig.swarm.sessions, changes, rig.swarm.clock.Now());
    CHECK(unit.Claim("events", swarm::Sessions::Topic::kTokens, swarm::Sessions::Way::kEvents));
    CHECK(unit.IsFirst("events", swarm::Sessions::Topic::kTokens, "r1"));
    CHECK(unit.Claim("metrics", swarm::Sessions::Topic::kTokens, swarm::Sessions::Way::kMetrics));
    unit.Finish();
  });
  rig.Append("p/e.jsonl", Line("events", "r1", 100) + Line("events", "r2", 10));
  rig.Append("p/m.jsonl", Line("metrics", "r1", 1000));
  rig.transcripts->Poll();
  CHECK(rig.Tokens("main", "input") == 10);
}

TEST_CASE("A folder that cannot be read makes the source's up 0", "[transcripts]") {
  TranscriptRig rig;
  rig.transcripts->Poll();
  fs::remove_all(rig.folder().path());
  rig.transcripts->Poll();
  CHECK(rig.swarm.Value(R"(swarm_source_up{source="claude_code_transcripts"})") == 0);
  CHECK(rig.swarm.Value(R"(swarm_source_read_errors_total{reason="missing",)"
                        R"(source="claude_code_transcripts"})") == 1);
}

TEST_CASE("Links are not followed and other files not read", "[transcripts]") {
  TranscriptRig rig;
  const skep::test::TempFolder elsewhere;
  rig.transcripts->Poll();
  std::ofstream(elsewhere.File("x.jsonl")) << Line("s", "r", 10);
  fs::create_symlink(elsewhere.File("x.jsonl"), rig.folder().File("x.jsonl"));
  fs::create_directory_symlink(elsewhere.path(), rig.folder().File("d"));
  rig.Append("p/notes.txt", Line("s", "r", 10));
  rig.transcripts->Poll();
  CHECK(rig.swarm.Of("swarm_llm_tokens_total").empty());
}

TEST_CASE("The thread reads by itself, is told of new options and stops", "[transcripts]") {
  TranscriptRig rig;
  rig.transcripts->Poll();
  rig.Append("p/s.jsonl", Line("s", "r", 10));
  rig.transcripts->Start();
  rig.transcripts->Apply({});
  rig.transcripts->Stop();
  rig.transcripts->Stop();
  const auto page = rig.transcripts->MakeCollector();
  CHECK(rig.swarm.PageText({page.get()}).find("transcript_files") == std::string::npos);
}

TEST_CASE("Options of transcripts are read strictly", "[transcripts]") {
  const auto read = [](const std::string& text) {
    auto parsed = yaml::Node::Parse(text, "skep.yml");
    if (!parsed) throw std::runtime_error(parsed.error().message());
    return ReadTranscriptOptions(*parsed);
  };
  const auto options = read("folders: [/home/dev/.claude/projects]\ninterval: 30s\nmax_files: 7");
  REQUIRE(options);
  CHECK(options->folders == std::vector<std::string>{"/home/dev/.claude/projects"});
  CHECK(options->interval == 30s);
  CHECK(options->max_files == 7);
  REQUIRE(read(""));
  CHECK(read("")->folders.empty());
  for (const std::string text :
       {"folders: [relative]", "folder: [/a]", "interval: 0s", "max_files: 0", "folders: {a: b}"}) {
    CAPTURE(text);
    const auto refused = read(text);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().message().starts_with("skep.yml:1:"));
  }
}

}  // namespace
}  // namespace skep::stores
