// Which attributes become labels, and under which names.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "exporter/ingest/otlp_model.h"
#include "exporter/ingest/otlp_options.h"
#include "exporter/state/store.h"

namespace skep::ingest {

// What an attribute's key says of it, whatever its value is.
enum class AttributeUse : std::uint8_t {
  kLabel,
  kLabelUnlessText,  // a label where it is a number or a boolean: texts may be private or endless
  kDropped           // identifies a person, a session, a request, a process: never a label
};

// By its words ("gen_ai.conversation.id": gen, ai, conversation, id; README.md has the lists).
AttributeUse DefaultUseOf(std::string_view key);
// `*` stands for any bytes; all others for themselves.
bool MatchesPattern(std::string_view pattern, std::string_view text);

// Makes label sets of attribute sets. Remembers the names of attributes. Thread-compatible; each
// worker has its own.
class LabelMaker {
 public:
  // `options` must outlive it.
  explicit LabelMaker(const OtlpOptions& options) : options_(options) {}

  // What the resource gives to all of its points; used by Make until the next call or Clear.
  void SetResource(Attributes attributes);

  // The labels of one point, sorted by name. An attribute goes before one of the resource with the
  // same label; several attributes that become the same label are joined with ';' in order of
  // their keys, as Prometheus does it. Views live until Clear or as long as the attributes.
  std::span<const state::LabelView> Make(Attributes attributes);

  // Lets go of all label sets made.
  void Clear();

 private:
  struct Name {
    std::string label;  // "": never a label
    bool only_unless_text = false;
    bool is_kept = false;  // by the configuration: whatever it looks like
  };
  struct NameView {
    std::string_view label;
    bool only_unless_text = false;
    bool is_kept = false;
  };
  struct Candidate {
    std::string_view label;
    std::string_view key;
    std::string_view value;
    bool of_resource = false;
  };

  // How attributes with these keys, in this order, become labels: points of one metric nearly all
  // have the keys of the one before.
  struct Shape {
    struct Place {
      std::size_t index = 0;  // of the attribute, or of the resource's label
      bool of_resource = false;
    };
    bool is_known = false;
    bool has_twins = false;  // two become the same label: the order must be found each time
    std::vector<std::string> keys;
    std::vector<NameView> names;
    std::vector<Place> order;  // by label
  };

  NameView NameOf(std::string_view key);
  Name DecideName(std::string_view key) const;
  bool HasShape(Attributes attributes) const;
  void LearnShape(Attributes attributes);
  std::string_view LabelAt(const Shape::Place& place) const;
  void MakeByShape(Attributes attributes);
  void MakeWithTwins(Attributes attributes);
  std::string_view ValueFor(const Attribute& attribute, const NameView& name);
  std::string_view ValueOf(const AttributeValue& value);
  std::string_view Keep(std::string_view text);
  std::string_view Cut(std::string_view text) const;
  void Merge();

  const OtlpOptions& options_;
  // Keys are views of `key_texts_`.
  std::unordered_map<std::string_view, Name> names_;
  std::vector<std::unique_ptr<std::string>> key_texts_;
  std::vector<state::LabelView> resource_;
  Shape shape_;
  std::vector<Candidate> candidates_;
  std::vector<state::LabelView> labels_;
  std::string scratch_;
  Pool<char> texts_;
  Pool<state::LabelView> sets_;
};

}  // namespace skep::ingest
