#include "tests/unit/lib/jobspec/hcl_printer.h"

#include <fmt/format.h>

namespace drover::jobspec {

namespace {

using Json = nlohmann::ordered_json;

std::string text_literal(const std::string& text) {
  std::string out = "\"";
  for (std::size_t i = 0; i < text.size(); i++) {
    const char c = text[i];
    if ((c == '$' || c == '%') && i + 1 < text.size() && text[i + 1] == '{') out += c;
    if (c == '"' || c == '\\') out += '\\';
    if (static_cast<unsigned char>(c) < 0x20) out += c == '\n' ? "\\n" : c == '\r' ? "\\r" : c == '\t' ? "\\t" : fmt::format("\\u{:04x}", static_cast<int>(c));
    else out += c;
  }
  return out + "\"";
}

std::string expression(const Json& value) {
  if (value.is_string()) return text_literal(value.get<std::string>());
  if (value.is_array()) {
    std::string out = "[";
    for (const Json& item : value) out += (out.size() > 1 ? ", " : "") + expression(item);
    return out + "]";
  }
  if (value.is_object()) {
    std::string out = "{";
    for (const auto& [name, item] : value.items()) out += (out.size() > 1 ? ", " : "") + text_literal(name) + " = " + expression(item);
    return out + "}";
  }
  return value.dump();
}

class Printer {
 public:
  std::string take() { return std::move(out_); }

  void block(const std::string& header, const Json& value, const Schema& schema) {
    open(header);
    if (schema.special == Special::constraint || schema.special == Special::affinity) shorthand(value);
    for (const Field& field : schema.fields) {
      const bool label = !schema.label_json.empty() && field.json == schema.label_json;
      if (!label && !field.json.empty() && value.contains(field.json)) this->field(field, value.at(std::string(field.json)));
    }
    close();
  }

 private:
  void open(const std::string& header) {
    out_ += std::string(indent_, ' ') + header + " {\n";
    indent_ += 2;
  }
  void close() {
    indent_ -= 2;
    out_ += std::string(indent_, ' ') + "}\n";
  }
  void attribute(std::string_view name, const Json& value) { out_ += fmt::format("{}{} = {}\n", std::string(indent_, ' '), name, expression(value)); }

  void shorthand(const Json& value) {
    static constexpr std::pair<const char*, const char*> names[] = {{"attribute", "LTarget"}, {"value", "RTarget"}, {"operator", "Operand"}, {"weight", "Weight"}};
    for (const auto& [name, json] : names) {
      if (value.contains(json) && !value.at(json).is_null()) attribute(name, value.at(json));
    }
  }

  // A block whose content the schema does not know.
  void plain_block(std::string_view name, const Json& value) {
    open(std::string(name));
    for (const auto& [key, item] : value.items()) attribute(key, item);
    close();
  }

  void nested(std::string_view name, const Json& value, const Schema& schema, const std::string& key = {}) {
    std::string label = schema.label_json.empty() ? "" : value.value(std::string(schema.label_json), key);
    if (schema.special == Special::scaling_task) label = label == "vertical_cpu" ? "cpu" : "mem";
    block(schema.label_json.empty() ? std::string(name) : fmt::format("{} {}", name, text_literal(label)), value, schema);
  }

  void field(const Field& field, const Json& value) {
    // The default identity is written as any other.
    const std::string_view name = field.json == "Identity" && field.hcl.empty() ? std::string_view("identity") : field.hcl;
    if (value.is_null() || name.empty()) return;
    switch (field.shape) {
      case Shape::one: return nested(name, value, *field.nested);
      case Shape::many:
        for (const Json& item : value) nested(name, item, *field.nested);
        return;
      case Shape::keyed:
        for (const auto& [key, item] : value.items()) nested(name, item, *field.nested, key);
        return;
      case Shape::free_map: case Shape::text_list_map: return plain_block(name, value);
      case Shape::text_map:
        if (field.form == Form::block) return plain_block(name, value);
        return attribute(name, value);
      default: return attribute(name, value);
    }
  }

  std::string out_;
  std::size_t indent_ = 0;
};

}  // namespace

std::string print_job(const Json& job) {
  Printer printer;
  printer.block("job " + text_literal(job.at("ID").get<std::string>()), job, job_schema());
  return printer.take();
}

}  // namespace drover::jobspec
