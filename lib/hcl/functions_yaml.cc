#include <fmt/format.h>
#include <yaml.h>

#include <memory>
#include <optional>
#include <set>

#include "lib/hcl/convert.h"
#include "lib/hcl/function_table.h"
#include "lib/hcl/yaml_scalar.h"
#include "sdk/base/text.h"

namespace drover::hcl {

namespace {

const yaml_char_t* bytes(const std::string& text) { return reinterpret_cast<const yaml_char_t*>(text.data()); }
std::string string_of(const yaml_char_t* text, std::size_t length) { return std::string(reinterpret_cast<const char*>(text), length); }

constexpr std::string_view tag_head = "tag:yaml.org,2002:";

class YamlReader {
 public:
  YamlReader(std::string text, Budget& budget) : text_(std::move(text)), budget_(budget) {
    yaml_parser_initialize(&parser_);
    yaml_parser_set_input_string(&parser_, bytes(text_), text_.size());
  }
  ~YamlReader() { yaml_parser_delete(&parser_); }
  YamlReader(const YamlReader&) = delete;
  YamlReader& operator=(const YamlReader&) = delete;

  FunctionResult document() {
    if (!next()) return error();
    if (!next()) return error();
    if (event().type != YAML_DOCUMENT_START_EVENT) return here("missing start of document");
    if (const auto* version = event().data.document_start.version_directive; version != nullptr && (version->major != 1 || version->minor != 1)) {
      return function_error("found incompatible YAML document");
    }
    if (!next()) return error();
    FunctionResult result = value(0);
    if (!result) return result;
    if (!next()) return error();
    if (!next()) return error();
    if (event().type != YAML_STREAM_END_EVENT) return here("unexpected extra content after value");
    return result;
  }

 private:
  struct Event {
    yaml_event_t event{};
    ~Event() { yaml_event_delete(&event); }
  };
  [[nodiscard]] const yaml_event_t& event() const { return event_->event; }

  bool next() {
    event_ = std::make_unique<Event>();
    return yaml_parser_parse(&parser_, &event_->event) == 1;
  }

  // Places as the reference has them: lines from 0, none for the first; but of what is no token, from 1 and without a column.
  static std::string placed(const yaml_mark_t& mark, const std::string& what) {
    return mark.line == 0 ? what : fmt::format("on line {}, column {}: {}", mark.line, mark.column + 1, what);
  }
  [[nodiscard]] tl::unexpected<FunctionError> error() const {
    const std::string what = parser_.problem != nullptr ? parser_.problem : "invalid YAML syntax";
    if (parser_.problem_mark.line == 0) return function_error(placed(parser_.context_mark, what));
    if (parser_.error == YAML_SCANNER_ERROR) return function_error(fmt::format("on line {}, column 1: {}", parser_.problem_mark.line + 1, what));
    return function_error(placed(parser_.problem_mark, what));
  }
  [[nodiscard]] tl::unexpected<FunctionError> here(const std::string& what) const { return function_error(placed(event().start_mark, what)); }

  FunctionResult value(int depth) {
    if (depth > max_value_depth || !budget_.take_step()) return function_error("YAML text is too large or nested too deeply");
    switch (event().type) {
      case YAML_SCALAR_EVENT: return scalar();
      case YAML_SEQUENCE_START_EVENT: return sequence(depth);
      case YAML_MAPPING_START_EVENT: return mapping(depth);
      case YAML_ALIAS_EVENT: {
        const std::string name = text_of(event().data.alias.anchor);
        if (pending_.contains(name)) return here(fmt::format("cannot refer to anchor {} from inside its own definition", quote(name)));
        const auto found = anchors_.find(name);
        if (found == anchors_.end()) return here(fmt::format("reference to undefined anchor {}", quote(name)));
        return found->second;
      }
      default: return here("unexpected parser event");
    }
  }

  static std::string text_of(const yaml_char_t* text) { return text == nullptr ? "" : reinterpret_cast<const char*>(text); }
  void begin(const std::string& anchor) {
    if (!anchor.empty()) pending_.insert(anchor);
  }
  Value complete(const std::string& anchor, Value value) {
    if (anchor.empty()) return value;
    pending_.erase(pending_.find(anchor));
    anchors_.insert_or_assign(anchor, value);
    return value;
  }

  FunctionResult resolved() const {
    const auto& data = event().data.scalar;
    const bool quoted = data.style == YAML_SINGLE_QUOTED_SCALAR_STYLE || data.style == YAML_DOUBLE_QUOTED_SCALAR_STYLE;
    return yaml_scalar(text_of(data.tag), string_of(data.value, data.length), quoted);
  }

  FunctionResult scalar() {
    const auto& data = event().data.scalar;
    const std::string anchor = text_of(data.anchor);
    FunctionResult result = resolved();
    if (!result) return here(result.error().message);
    // What is written as text is text in the end, also where its contents mean something else (`|` with nothing below).
    if (data.tag == nullptr && data.plain_implicit == 0) {
      if (auto text = convert(*result, Type::string())) result = std::move(*text);
    }
    begin(anchor);
    return complete(anchor, std::move(*result));
  }

  FunctionResult sequence(int depth) {
    const std::string tag = text_of(event().data.sequence_start.tag);
    if (!tag.empty() && tag != std::string(tag_head) + "seq") return here(fmt::format("can't interpret sequence as {}", tag));
    const std::string anchor = text_of(event().data.sequence_start.anchor);
    begin(anchor);
    Value::List out;
    while (true) {
      if (!next()) return error();
      if (event().type == YAML_SEQUENCE_END_EVENT) break;
      FunctionResult item = value(depth + 1);
      if (!item) return item;
      out.push_back(std::move(*item));
    }
    return complete(anchor, Value::tuple(std::move(out)));
  }

  [[nodiscard]] bool is_merge() const {
    if (event().type != YAML_SCALAR_EVENT) return false;
    const auto& data = event().data.scalar;
    const std::string tag = text_of(data.tag);
    return tag.empty() ? string_of(data.value, data.length) == "<<" : tag == std::string(tag_head) + "merge";
  }

  // `<<: {...}` or `<<: [{...}]`; `key` is where the key stands.
  static std::optional<FunctionError> merge(const Value& value, const yaml_mark_t& key, Value::Map& out) {
    const auto refuse = [&](const Value& what, const char* from) {
      return FunctionError{placed(key, fmt::format("cannot merge {}{} into mapping", what.type().friendly_name(), from))};
    };
    const auto take = [&](const Value& object) {
      for (const auto& [name, item] : object.as_map()) out.insert_or_assign(name, item);
    };
    if (value.kind() == Kind::object && !value.is_null()) {
      take(value);
      return std::nullopt;
    }
    if (value.kind() != Kind::tuple || value.is_null()) return refuse(value, "");
    for (const Value& one : value.as_list()) {
      if (one.kind() != Kind::object || one.is_null()) return refuse(one, " (from sequence)");
      take(one);
    }
    return std::nullopt;
  }

  FunctionResult mapping(int depth) {
    const std::string tag = text_of(event().data.mapping_start.tag);
    if (!tag.empty() && tag != std::string(tag_head) + "map") return here(fmt::format("can't interpret mapping as {}", tag));
    const std::string anchor = text_of(event().data.mapping_start.anchor);
    begin(anchor);
    Value::Map out;
    while (true) {
      if (!next()) return error();
      if (event().type == YAML_MAPPING_END_EVENT) break;
      const yaml_mark_t start = event().start_mark;
      const bool merges = is_merge();
      std::string name;
      if (!merges) {
        if (event().type != YAML_SCALAR_EVENT) return here("only strings are allowed as mapping keys");
        const FunctionResult key = resolved();
        if (!key) return key;
        if (key->is_null()) return here("mapping key cannot be null");
        const auto text = convert(*key, Type::string());
        if (!text) return here("only strings are allowed as mapping keys");
        name = text->as_string();
      }
      if (!next()) return error();
      FunctionResult item = value(depth + 1);
      if (!item) return item;
      if (!merges) {
        out.insert_or_assign(std::move(name), std::move(*item));
      } else if (auto refused = merge(*item, start, out)) {
        return tl::unexpected(std::move(*refused));
      }
    }
    return complete(anchor, Value::object(std::move(out)));
  }

  const std::string text_;
  yaml_parser_t parser_{};
  std::unique_ptr<Event> event_;
  std::map<std::string, Value> anchors_;
  std::multiset<std::string> pending_;  // anchors whose values are still being read
  Budget& budget_;
};

class YamlWriter {
 public:
  YamlWriter() {
    yaml_emitter_initialize(&emitter_);
    yaml_emitter_set_unicode(&emitter_, 1);
    yaml_emitter_set_output(&emitter_, append, &out_);
  }
  ~YamlWriter() { yaml_emitter_delete(&emitter_); }
  YamlWriter(const YamlWriter&) = delete;
  YamlWriter& operator=(const YamlWriter&) = delete;

  std::string write(const Value& value) {
    emit([](yaml_event_t* event) { yaml_stream_start_event_initialize(event, YAML_UTF8_ENCODING); });
    emit([](yaml_event_t* event) { yaml_document_start_event_initialize(event, nullptr, nullptr, nullptr, 1); });
    item(value);
    emit([](yaml_event_t* event) { yaml_document_end_event_initialize(event, 1); });
    emit([](yaml_event_t* event) { yaml_stream_end_event_initialize(event); });
    // What might go on is ended, as older emitters do.
    const bool open = value.is_null() || value.kind() == Kind::number || value.kind() == Kind::boolean;
    if (open && !out_.ends_with("...\n")) out_ += "...\n";
    return std::move(out_);
  }

 private:
  static int append(void* out, unsigned char* buffer, std::size_t size) {
    static_cast<std::string*>(out)->append(reinterpret_cast<const char*>(buffer), size);
    return 1;
  }
  template <class Make>
  void emit(Make make) {
    yaml_event_t event;
    make(&event);
    yaml_emitter_emit(&emitter_, &event);
  }
  void scalar(const std::string& text, yaml_scalar_style_t style) {
    emit([&](yaml_event_t* event) {
      yaml_scalar_event_initialize(event, nullptr, nullptr, bytes(text), static_cast<int>(text.size()), 1, 1, style);
    });
  }
  void string(const std::string& text) {
    scalar(text, text.find('\n') == std::string::npos ? YAML_DOUBLE_QUOTED_SCALAR_STYLE : YAML_LITERAL_SCALAR_STYLE);
  }

  void item(const Value& value) {
    if (value.is_null()) return scalar("null", YAML_PLAIN_SCALAR_STYLE);
    switch (value.kind()) {
      case Kind::string: return string(value.as_string());
      case Kind::boolean: return scalar(value.as_bool() ? "true" : "false", YAML_PLAIN_SCALAR_STYLE);
      case Kind::number: return scalar(value.as_number().str(), YAML_PLAIN_SCALAR_STYLE);
      case Kind::list: case Kind::set: case Kind::tuple: {
        const auto style = value.as_list().empty() ? YAML_FLOW_SEQUENCE_STYLE : YAML_BLOCK_SEQUENCE_STYLE;
        emit([&](yaml_event_t* event) { yaml_sequence_start_event_initialize(event, nullptr, nullptr, 1, style); });
        for (const Value& element : value.as_list()) item(element);
        return emit([](yaml_event_t* event) { yaml_sequence_end_event_initialize(event); });
      }
      case Kind::map: case Kind::object: {
        const auto style = value.as_map().empty() ? YAML_FLOW_MAPPING_STYLE : YAML_BLOCK_MAPPING_STYLE;
        emit([&](yaml_event_t* event) { yaml_mapping_start_event_initialize(event, nullptr, nullptr, 1, style); });
        for (const auto& [name, element] : value.as_map()) {
          scalar(name, YAML_DOUBLE_QUOTED_SCALAR_STYLE);
          item(element);
        }
        return emit([](yaml_event_t* event) { yaml_mapping_end_event_initialize(event); });
      }
      case Kind::dynamic: return;
    }
  }

  yaml_emitter_t emitter_{};
  std::string out_;
};

}  // namespace

void add_yaml_functions(FunctionTable& table) {
  Function decode;
  decode.parameters = {text("src")};
  decode.call = [](const std::vector<Value>& arguments, Budget& budget) { 
    const std::string& source = arguments[0].as_string();
    return YamlReader(source.empty() ? "\n" : source, budget).document();
  };
  table["yamldecode"] = decode;
  table["yamlencode"] = function({nullable(any("value"))}, [](const Arguments& a) { return Value::string(YamlWriter().write(a[0])); });
}

}  // namespace drover::hcl
