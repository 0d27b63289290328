// Our side of run.py: reads one case a line (JSON), answers each with one line of JSON. The variables, the schema and the form of the
// answers are those of oracle/main.go.
#include <fmt/format.h>

#include <algorithm>
#include <iostream>
#include <nlohmann/json.hpp>
#include <string>

#include "lib/hcl/body.h"
#include "lib/hcl/parser.h"

using namespace drover::hcl;
using Json = nlohmann::json;

namespace {

Json type_name(const Type& type) {
  switch (type.kind()) {
    case Kind::dynamic: return "dynamic";
    case Kind::string: return "string";
    case Kind::number: return "number";
    case Kind::boolean: return "bool";
    case Kind::list: return Json::array({"list", type_name(type.element())});
    case Kind::set: return Json::array({"set", type_name(type.element())});
    case Kind::map: return Json::array({"map", type_name(type.element())});
    case Kind::tuple: {
      Json out = Json::array({"tuple"});
      for (const Type& element : type.elements()) out.push_back(type_name(element));
      return out;
    }
    case Kind::object: {
      Json of = Json::object();
      for (const auto& [name, element] : type.attributes()) of[name] = type_name(element);
      return Json::array({"object", of});
    }
  }
  return nullptr;
}

Json encode(const Value& value) {
  if (!value.is_known()) return {{"unknown", type_name(value.type())}};
  if (value.is_null()) return {{"null", type_name(value.type())}};
  switch (value.kind()) {
    case Kind::string: return value.as_string();
    case Kind::number: return {{"number", value.as_number().str()}};
    case Kind::boolean: return value.as_bool();
    case Kind::list: case Kind::set: case Kind::tuple: {
      Json items = Json::array();
      for (const Value& item : value.as_list()) items.push_back(encode(item));
      if (value.kind() == Kind::set) std::sort(items.begin(), items.end(), [](const Json& a, const Json& b) { return a.dump() < b.dump(); });
      return Json::array({type_name(value.type()), items});
    }
    case Kind::map: case Kind::object: {
      Json items = Json::object();
      for (const auto& [name, item] : value.as_map()) items[name] = encode(item);
      return Json::array({type_name(value.type()), items});
    }
    case Kind::dynamic: break;
  }
  return nullptr;
}

Value text(const char* word) { return Value::string(word); }
Value whole(std::int64_t number) { return Value::number(number); }

std::map<std::string, Value, std::less<>> variables() {
  const Type record = Type::object({{"id", Type::string()}});
  return {
      {"n", Value::number(*Number::parse("7"))},
      {"half", Value::number(*Number::parse("0.5"))},
      {"s", text("text")},
      {"t", Value::boolean(true)},
      {"nul", Value::null()},
      {"nuls", Value::null(Type::string())},
      {"list", Value::list(Type::string(), {text("a"), text("b"), text("c")})},
      {"nums", Value::list(Type::number(), {whole(3), whole(1), whole(2)})},
      {"none", Value::list(Type::string(), {})},
      {"set", Value::set(Type::string(), {text("y"), text("x")})},
      {"map", Value::map(Type::string(), {{"k", text("v")}, {"l", text("w")}})},
      {"tup", Value::tuple({whole(1), text("two"), Value::boolean(false)})},
      {"obj", Value::object({{"a", whole(1)}, {"b", text("bee")}, {"c", Value::list(Type::number(), {whole(1), whole(2)})}})},
      {"objs", Value::list(record, {Value::object({{"id", text("i")}}), Value::object({{"id", text("j")}})})},
      {"unk", Value::unknown()},
      {"unks", Value::unknown(Type::string())},
      {"unkl", Value::unknown(Type::list(Type::string()))},
      {"unkm", Value::unknown(Type::map(Type::number()))},
  };
}

Json problems_of(const Diagnostics& diagnostics) {
  Json out = Json::array();
  for (const Diagnostic& item : diagnostics.items()) out.push_back(to_line(item));
  return {{"problems", out}};
}

const BodySchema& schema() {
  static const BodySchema value = expandable(
      {{{"a"}, {"b"}, {"count"}, {"must", true}}, {{"plain", {}}, {"named", {"name"}}, {"twice", {"kind", "name"}}}});
  return value;
}

Json decode(const Body& body, const EvalContext& context, Diagnostics& diagnostics) {
  const Content content = body.expanded(schema(), context, diagnostics);
  Json attributes = Json::object();
  for (const AttributeSchema& known : schema().attributes) {
    if (const Attribute* attribute = content.attribute(known.name)) attributes[known.name] = encode(evaluate(*attribute->expression, context, diagnostics));
  }
  Json blocks = Json::array();
  for (const Block& block : content.blocks) {
    Json inner = decode(*block.body, block.scope ? *block.scope : context, diagnostics);
    blocks.push_back(Json::array({block.type, block.labels, std::move(inner)}));
  }
  return {{"attributes", attributes}, {"blocks", blocks}};
}

Json solve(const std::string& kind, std::string source, const FunctionTable& functions) {
  Diagnostics diagnostics;
  Budget budget;
  EvalContext context;
  context.functions = &functions;
  context.budget = &budget;
  context.variables = variables();
  const SourcePtr file = make_source("case", std::move(source));
  if (kind == "expression" || kind == "template") {
    const ExprPtr expression = kind == "template" ? parse_template(file, diagnostics) : parse_expression(file, diagnostics);
    if (diagnostics.has_errors()) return problems_of(diagnostics);
    const Value value = evaluate(*expression, context, diagnostics);
    if (diagnostics.has_errors()) return problems_of(diagnostics);
    return {{"value", encode(value)}};
  }
  const auto body = kind == "json" ? parse_json(file, diagnostics) : std::make_shared<const Body>(parse_native(file, diagnostics));
  if (diagnostics.has_errors()) return problems_of(diagnostics);
  Json value = decode(*body, context, diagnostics);
  if (diagnostics.has_errors()) return problems_of(diagnostics);
  return {{"value", std::move(value)}};
}

}  // namespace

int main() {
  const FunctionTable functions = standard_functions({});
  std::string line;
  while (std::getline(std::cin, line)) {
    const Json given = Json::parse(line);
    std::cout << solve(given["kind"], given["text"], functions).dump(-1, ' ', false, Json::error_handler_t::replace) << '\n';
  }
  return 0;
}
