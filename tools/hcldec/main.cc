// hcldec: a file of the job file language to JSON, by a spec file. The command line is that of the program of this name which the
// conformance suite of the language drives.
#include <fmt/format.h>

#include <cstdio>
#include <fstream>
#include <iostream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "tools/hcldec/spec.h"

using namespace drover;
using Json = nlohmann::ordered_json;

namespace {

struct Options {
  std::string spec;
  std::string out;
  std::vector<std::string> vars;
  std::vector<std::string> files;
  bool json_diagnostics = false;
  bool variables = false;
  bool with_type = false;
  bool keep_nulls = false;
};

int usage(const std::string& problem) {
  fmt::print(stderr, "{}\nusage: hcldec --spec=FILE [--vars=JSON|FILE] [--var-refs] [--with-type] [--keep-nulls] [--diags=json] [--out=FILE] [FILE]\n", problem);
  return 2;
}

// The value of `--name=value`, `--name value` or `-n value`.
std::optional<std::string> value_of(const std::vector<std::string>& arguments, std::size_t& at, std::string_view name, std::string_view letter) {
  const std::string& argument = arguments[at];
  if (argument.starts_with(fmt::format("--{}=", name))) return argument.substr(name.size() + 3);
  const bool alone = argument == fmt::format("--{}", name) || (!letter.empty() && argument == letter);
  if (!alone || at + 1 >= arguments.size()) return std::nullopt;
  return arguments[++at];
}

std::optional<std::string> parse_arguments(const std::vector<std::string>& arguments, Options& out) {
  for (std::size_t at = 0; at < arguments.size(); at++) {
    const std::string& argument = arguments[at];
    if (const auto spec = value_of(arguments, at, "spec", "-s")) out.spec = *spec;
    else if (const auto file = value_of(arguments, at, "out", "-o")) out.out = *file;
    else if (const auto vars = value_of(arguments, at, "vars", "-V")) out.vars.push_back(*vars);
    else if (const auto form = value_of(arguments, at, "diags", "")) {
      if (*form != "json") return fmt::format("unknown form of diagnostics \"{}\": json is the one there is", *form);
      out.json_diagnostics = true;
    } else if (argument == "--var-refs") out.variables = true;
    else if (argument == "--with-type") out.with_type = true;
    else if (argument == "--keep-nulls") out.keep_nulls = true;
    else if (argument.starts_with('-')) return fmt::format("unknown option {}", argument);
    else out.files.push_back(argument);
  }
  if (out.spec.empty()) return "the option --spec is missing";
  if (out.files.size() > 1) return "one file at a time";
  return std::nullopt;
}

hcl::SourcePtr read_file(const std::string& name, hcl::Diagnostics& diagnostics) {
  std::ifstream in(name, std::ios::binary);
  if (!in) diagnostics.add("Failed to read file", fmt::format("The file \"{}\" could not be read.", name));
  return hcl::make_source(name, std::string(std::istreambuf_iterator<char>(in), {}));
}

std::shared_ptr<const hcl::Body> parse(const hcl::SourcePtr& file, hcl::Diagnostics& diagnostics) {
  return file->name.ends_with(".json") || file->text.starts_with('{') ? hcl::parse_json(file, diagnostics) : hcl::parse_file(file, diagnostics);
}

Json place(const hcl::Range& range) {
  const auto pos = [](const hcl::Pos& at) { return Json{{"line", at.line}, {"column", at.column}, {"byte", at.byte}}; };
  return {{"filename", range.file ? range.file->name : ""}, {"start", pos(range.start)}, {"end", pos(range.end)}};
}

int refuse(const hcl::Diagnostics& diagnostics, bool json) {
  Json list = Json::array();
  for (const hcl::Diagnostic& item : diagnostics.items()) {
    if (!json) fmt::print(stderr, "{}", hcl::render(item));
    Json one{{"severity", item.warning ? "warning" : "error"}, {"summary", item.summary}, {"detail", item.detail}};
    if (item.subject) one["subject"] = place(*item.subject);
    list.push_back(std::move(one));
  }
  if (json) fmt::print(stderr, "{}\n", Json{{"diagnostics", list}}.dump(2));
  return 2;
}

Json type_json(const hcl::Type& type) {
  switch (type.kind()) {
    case hcl::Kind::dynamic: return "dynamic";
    case hcl::Kind::string: return "string";
    case hcl::Kind::number: return "number";
    case hcl::Kind::boolean: return "bool";
    case hcl::Kind::list: return Json::array({"list", type_json(type.element())});
    case hcl::Kind::set: return Json::array({"set", type_json(type.element())});
    case hcl::Kind::map: return Json::array({"map", type_json(type.element())});
    case hcl::Kind::tuple: {
      Json elements = Json::array();
      for (const hcl::Type& element : type.elements()) elements.push_back(type_json(element));
      return Json::array({"tuple", std::move(elements)});
    }
    case hcl::Kind::object: {
      Json attributes = Json::object();
      for (const auto& [name, attribute] : type.attributes()) attributes[name] = type_json(attribute);
      return Json::array({"object", std::move(attributes)});
    }
  }
  return nullptr;
}

// Without the properties that are null.
hcl::Value stripped(const hcl::Value& value) {
  if (value.is_null() || !value.is_known()) return value;
  if (value.is_mapping()) {
    hcl::Value::Map kept;
    for (const auto& [name, item] : value.as_map()) {
      if (!item.is_null()) kept[name] = stripped(item);
    }
    return hcl::Value::object(std::move(kept));
  }
  if (!value.is_sequence()) return value;
  hcl::Value::List kept;
  for (const hcl::Value& item : value.as_list()) kept.push_back(stripped(item));
  return hcl::Value::tuple(std::move(kept));
}

// Numbers keep all their digits, so this is not the JSON library's work.
std::string json_of(const hcl::Value& value, const hcl::FunctionTable& functions) {
  hcl::Budget budget;
  const auto text = functions.find("jsonencode")->second.call({value}, budget);
  return text ? text->as_string() : "null";
}

std::string references_json(const std::vector<hcl::Reference>& references, const hcl::FunctionTable& functions) {
  Json out = Json::array();
  for (const hcl::Reference& reference : references) {
    Json steps = Json::array({{{"kind", "root"}, {"name", reference.root}, {"range", place(reference.traversal->root_range)}}});
    for (const hcl::TraversalStep& step : reference.traversal->steps) {
      if (step.key) steps.push_back({{"kind", "index"}, {"key", Json::parse(json_of(*step.key, functions))}, {"range", place(step.range)}});
      else steps.push_back({{"kind", "attr"}, {"name", step.name}, {"range", place(step.range)}});
    }
    out.push_back({{"root_name", reference.root}, {"steps", std::move(steps)}, {"range", place(reference.range)}});
  }
  return out.dump(2);
}

int run(const Options& options) {
  hcl::Diagnostics diagnostics;
  const hcl::FunctionTable functions = hcl::standard_functions({});
  const hcldec::SpecFile spec = hcldec::read_spec(read_file(options.spec, diagnostics), functions, diagnostics);
  if (diagnostics.has_errors()) return refuse(diagnostics, options.json_diagnostics);

  hcl::Budget budget;
  hcl::EvalContext context;
  context.budget = &budget;
  context.functions = &spec.functions;
  context.variables = spec.variables;
  const hcl::EvalContext constants{nullptr, {}, nullptr, {}, &budget, nullptr};
  for (const std::string& text : options.vars) {
    const bool literal = text.find_first_not_of(" \t\n") != std::string::npos && text[text.find_first_not_of(" \t\n")] == '{';
    const auto body = literal ? hcl::parse_json(hcl::make_source("<vars argument>", text), diagnostics) : parse(read_file(text, diagnostics), diagnostics);
    for (const hcl::Attribute& attribute : body->attributes(diagnostics)) context.variables[attribute.name] = hcl::evaluate(*attribute.expression, constants, diagnostics);
  }
  const hcl::SourcePtr source = options.files.empty() ? hcl::make_source("<stdin>", std::string(std::istreambuf_iterator<char>(std::cin), {}))
                                                      : read_file(options.files[0], diagnostics);
  const auto body = parse(source, diagnostics);
  if (diagnostics.has_errors()) return refuse(diagnostics, options.json_diagnostics);

  std::string text;
  if (options.variables) {
    text = references_json(hcldec::variables(*body, spec.root), functions);
  } else {
    const hcl::Value value = hcldec::decode(*body, spec.root, context, functions, diagnostics);
    if (diagnostics.has_errors()) return refuse(diagnostics, options.json_diagnostics);
    text = json_of(options.keep_nulls ? value : stripped(value), functions);
    if (options.with_type) text = fmt::format("{{\"value\":{},\"type\":{}}}", text, type_json(value.type()).dump());
  }
  if (options.out.empty()) {
    fmt::print("{}\n", text);
    return 0;
  }
  std::ofstream(options.out) << text << '\n';
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  if (const auto problem = parse_arguments({argv + 1, argv + argc}, options)) return usage(*problem);
  return run(options);
}
