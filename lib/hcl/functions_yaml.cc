#include <fmt/format.h>
#include <yaml.h>

#include <memory>

#include "lib/hcl/convert.h"
#include "lib/hcl/function_table.h"
#include "sdk/base/text.h"

namespace drover::hcl {

namespace {

const yaml_char_t* bytes(const std::string& text) { return reinterpret_cast<const yaml_char_t*>(text.data()); }
std::string string_of(const yaml_char_t* text, std::size_t length) { return std::string(reinterpret_cast<const char*>(text), length); }

// YAML 1.1 as far as plain scalars go.
Value plain_scalar(const std::string& text) {
  const auto is_one_of = [&](std::initializer_list<std::string_view> words) {
    return std::find(words.begin(), words.end(), text) != words.end();
  };
  if (is_one_of({"", "~", "null", "Null", "NULL"})) return Value::null();
  if (is_one_of({"y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"})) return Value::boolean(true);
  if (is_one_of({"n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"})) return Value::boolean(false);
  const bool signed_text = text[0] == '-' || text[0] == '+';
  const std::string digits = replace_all(text, "_", "");
  const std::string sign = signed_text && text[0] == '-' ? "-" : "";
  const std::string magnitude = signed_text ? digits.substr(1) : digits;
  if (is_one_of({".inf", ".Inf", ".INF", "+.inf", "-.inf", "-.Inf", "-.INF"})) {
    const auto one = Number(sign.empty() ? 1 : -1);
    return Value::number(*divide(one, Number(0)));
  }
  if (!magnitude.empty() && ((magnitude[0] >= '0' && magnitude[0] <= '9') || magnitude[0] == '.')) {
    std::optional<Number> number;
    if (magnitude.starts_with("0x")) number = Number::parse_base(sign + magnitude.substr(2), 16);
    else if (magnitude.starts_with("0b")) number = Number::parse_base(sign + magnitude.substr(2), 2);
    else if (magnitude.starts_with("0o")) number = Number::parse_base(sign + magnitude.substr(2), 8);
    else if (magnitude.size() > 1 && magnitude[0] == '0' && magnitude.find_first_not_of("01234567") == std::string::npos) {
      number = Number::parse_base(sign + magnitude.substr(1), 8);
    } else {
      number = Number::parse(sign + magnitude);
    }
    if (number) return Value::number(*number);
  }
  // A date alone stands for its midnight.
  if (text.size() == 10 && text[4] == '-' && text[7] == '-' && text.find_first_not_of("0123456789-") == std::string::npos) {
    return Value::string(text + "T00:00:00Z");
  }
  return Value::string(text);
}

class YamlReader {
 public:
  YamlReader(const std::string& text, Budget& budget) : budget_(budget) {
    yaml_parser_initialize(&parser_);
    yaml_parser_set_input_string(&parser_, bytes(text), text.size());
  }
  ~YamlReader() { yaml_parser_delete(&parser_); }
  YamlReader(const YamlReader&) = delete;
  YamlReader& operator=(const YamlReader&) = delete;

  FunctionResult document() {
    if (!next()) return error();
    if (!next()) return error();
    if (event().type == YAML_STREAM_END_EVENT) return function_error("on line 1, column 1: missing start of document");
    if (!next()) return error();
    FunctionResult result = value(0);
    if (!result) return result;
    if (!next()) return error();
    if (!next()) return error();
    if (event().type != YAML_STREAM_END_EVENT) return function_error("on line 1, column 1: unexpected extra content after value");
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
  [[nodiscard]] tl::unexpected<FunctionError> error() const {
    return function_error(parser_.problem != nullptr ? parser_.problem : "the text is not YAML");
  }

  FunctionResult value(int depth) {
    if (depth > max_value_depth || !budget_.take_step()) return function_error("YAML text is too large or nested too deeply");
    switch (event().type) {
      case YAML_SCALAR_EVENT: return scalar();
      case YAML_SEQUENCE_START_EVENT: return sequence(depth);
      case YAML_MAPPING_START_EVENT: return mapping(depth);
      case YAML_ALIAS_EVENT: {
        const std::string name = reinterpret_cast<const char*>(event().data.alias.anchor);
        const auto found = anchors_.find(name);
        if (found == anchors_.end()) return function_error(fmt::format("reference to undefined anchor {}", quote(name)));
        return found->second;
      }
      default: return function_error("unexpected YAML event");
    }
  }
  void remember(const std::string& anchor, const FunctionResult& result) {
    if (!anchor.empty() && result) anchors_[anchor] = *result;
  }
  static std::string anchor_of(const yaml_char_t* anchor) { return anchor == nullptr ? "" : reinterpret_cast<const char*>(anchor); }

  FunctionResult scalar() {
    const auto& data = event().data.scalar;
    const std::string text = string_of(data.value, data.length);
    const std::string tag = anchor_of(data.tag);
    FunctionResult result = Value::string(text);
    if (tag.empty() && data.plain_implicit != 0 && data.style == YAML_PLAIN_SCALAR_STYLE) result = plain_scalar(text);
    else if (tag == "tag:yaml.org,2002:int" || tag == "tag:yaml.org,2002:float" || tag == "tag:yaml.org,2002:bool" || tag == "tag:yaml.org,2002:null") result = plain_scalar(text);
    remember(anchor_of(data.anchor), result);
    return result;
  }

  FunctionResult sequence(int depth) {
    const std::string anchor = anchor_of(event().data.sequence_start.anchor);
    Value::List out;
    while (true) {
      if (!next()) return error();
      if (event().type == YAML_SEQUENCE_END_EVENT) break;
      FunctionResult item = value(depth + 1);
      if (!item) return item;
      out.push_back(std::move(*item));
    }
    FunctionResult result = Value::tuple(std::move(out));
    remember(anchor, result);
    return result;
  }

  FunctionResult mapping(int depth) {
    const std::string anchor = anchor_of(event().data.mapping_start.anchor);
    Value::Map out;
    Value::Map merged;
    while (true) {
      if (!next()) return error();
      if (event().type == YAML_MAPPING_END_EVENT) break;
      const bool merge = event().type == YAML_SCALAR_EVENT && event().data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
                         string_of(event().data.scalar.value, event().data.scalar.length) == "<<";
      FunctionResult key = value(depth + 1);
      if (!key) return key;
      if (!next()) return error();
      FunctionResult item = value(depth + 1);
      if (!item) return item;
      if (merge && item->kind() == Kind::object) {
        for (const auto& [name, inner] : item->as_map()) merged.emplace(name, inner);
        continue;
      }
      const auto name = convert(*key, Type::string());
      if (!name || name->is_null()) return function_error("mapping keys must be strings");
      out.insert_or_assign(name->as_string(), std::move(*item));
    }
    out.insert(merged.begin(), merged.end());
    FunctionResult result = Value::object(std::move(out));
    remember(anchor, result);
    return result;
  }

  yaml_parser_t parser_{};
  std::unique_ptr<Event> event_;
  std::map<std::string, Value> anchors_;
  Budget& budget_;
};

class YamlWriter {
 public:
  YamlWriter() {
    yaml_emitter_initialize(&emitter_);
    yaml_emitter_set_unicode(&emitter_, 1);
    yaml_emitter_set_width(&emitter_, -1);
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
  decode.call = [](const std::vector<Value>& arguments, Budget& budget) { return YamlReader(arguments[0].as_string(), budget).document(); };
  table["yamldecode"] = decode;
  table["yamlencode"] = function({nullable(any("value"))}, [](const Arguments& a) { return Value::string(YamlWriter().write(a[0])); });
}

}  // namespace drover::hcl
