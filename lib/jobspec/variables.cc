#include "lib/jobspec/variables.h"

#include <fmt/format.h>

#include <algorithm>

#include "lib/hcl/convert.h"
#include "lib/hcl/parser.h"
#include "lib/hcl/unicode.h"
#include "sdk/base/text.h"

namespace drover::jobspec {

using hcl::Value;

namespace {

// A place in a text that must not be shown: the same, with stars for what stands there.
hcl::Range masked(const hcl::Range& range) {
  std::string text = range.file->text;
  for (std::size_t at = range.start.byte; at < range.end.byte && at < text.size(); at++) {
    if (text[at] != '\n') text[at] = '*';
  }
  return {hcl::make_source(range.file->name, std::move(text)), range.start, range.end};
}

}  // namespace

Variable* Variables::find(const std::string& name) {
  const auto found = std::find_if(all_.begin(), all_.end(), [&](const Variable& item) { return item.name == name; });
  return found == all_.end() ? nullptr : &*found;
}

void Variables::add(Variable variable, hcl::Diagnostics& diagnostics) {
  if (find(variable.name) != nullptr) {
    diagnostics.add("Duplicate variable", fmt::format("Duplicate {} variable definition found.", variable.name));
    return;
  }
  all_.push_back(std::move(variable));
}

void Variables::declare(const hcl::Content& top, const hcl::EvalContext& context, hcl::Diagnostics& diagnostics) {
  for (const hcl::Block& block : top.blocks) {
    if (block.type == "variable") declare_block(block, context, diagnostics);
    if (block.type != "variables") continue;
    for (const hcl::Attribute& attribute : block.body->attributes(diagnostics)) {
      Value value = hcl::evaluate(*attribute.expression, context, diagnostics);
      Variable variable{attribute.name, value.type(), !value.type().is_dynamic(), {}, {}};
      variable.value = VariableValue{std::move(value), "default", attribute.expression->range};
      add(std::move(variable), diagnostics);
    }
  }
}

void Variables::declare_block(const hcl::Block& block, const hcl::EvalContext& context, hcl::Diagnostics& diagnostics) {
  static const hcl::BodySchema schema{{{"description"}, {"default"}, {"type"}, {"sensitive"}}, {{"validation", {}}}};
  Variable variable;
  variable.name = block.labels[0];
  if (!hcl::is_identifier(variable.name)) {
    diagnostics.add("Invalid variable name", "A name must start with a letter or underscore and may contain only letters, digits, underscores, and dashes.", block.label_ranges[0]);
  }
  const hcl::Content content = block.body->content(schema, diagnostics);
  if (const hcl::Attribute* description = content.attribute("description")) {
    const Value text = hcl::evaluate(*description->expression, context, diagnostics);
    if (const auto converted = hcl::convert(text, hcl::Type::string()); !converted) {
      diagnostics.add("Unsuitable value type", fmt::format("Unsuitable value: {}", converted.error()), description->expression->start_range());
    }
  }
  // Not in the reference, which refuses the word.
  if (const hcl::Attribute* sensitive = content.attribute("sensitive")) {
    const auto flag = hcl::convert(hcl::evaluate(*sensitive->expression, context, diagnostics), hcl::Type::boolean());
    if (flag && flag->is_known() && !flag->is_null()) {
      variable.sensitive = flag->as_bool();
    } else {
      diagnostics.add("Unsuitable value type", fmt::format("Unsuitable value: {}", flag ? "value must be known" : flag.error()), sensitive->expression->start_range());
    }
  }
  bool good_type = true;
  if (const hcl::Attribute* type = content.attribute("type")) {
    const auto parsed = hcl::type_from_expression(*type->expression, false, diagnostics);
    good_type = parsed.has_value();
    variable.typed = good_type;
    if (parsed) variable.type = *parsed;
  }
  if (const hcl::Attribute* standard = content.attribute("default")) {
    Value value = hcl::evaluate(*standard->expression, context, diagnostics);
    if (good_type && variable.typed) {
      auto converted = hcl::convert(value, variable.type);
      if (!converted) {
        diagnostics.add("Invalid default value for variable", fmt::format("This default value is not compatible with the variable's type constraint: {}.", converted.error()), standard->expression->range);
        value = Value::unknown(variable.type);
      } else {
        value = std::move(*converted);
      }
    }
    variable.value = VariableValue{std::move(value), "default", standard->expression->range};
  } else if (!good_type) {
    variable.value = VariableValue{Value(), "default", block.definition_range};
  }
  for (const hcl::Block& rule : content.blocks) declare_rule(variable, rule, context, diagnostics);
  add(std::move(variable), diagnostics);
}

void Variables::declare_rule(Variable& variable, const hcl::Block& block, const hcl::EvalContext& context, hcl::Diagnostics& diagnostics) {
  static const hcl::BodySchema schema{{{"condition", true}, {"error_message", true}}, {}};
  const hcl::Content content = block.body->content(schema, diagnostics);
  ValidationRule rule;
  rule.range = block.definition_range;
  if (const hcl::Attribute* condition = content.attribute("condition")) {
    bool refers = false;
    for (const hcl::Reference& reference : hcl::references(*condition->expression)) {
      const auto& steps = reference.traversal->steps;
      if (reference.root == "var" && !steps.empty() && steps[0].name == variable.name) {
        refers = true;
        continue;
      }
      if (reference.root != "var" && reference.root != "local") continue;
      diagnostics.add("Invalid reference in variable validation", fmt::format("The condition for variable {} can only refer to the variable itself, using var.{}.", quote(variable.name), variable.name), reference.range);
    }
    if (refers) {
      rule.condition = condition->expression;
    } else {
      diagnostics.add("Invalid variable validation condition", fmt::format("The condition for variable {} must refer to var.{} in order to test incoming values.", quote(variable.name), variable.name), condition->expression->range);
      rule.condition = condition->expression;
    }
  }
  if (const hcl::Attribute* message = content.attribute("error_message")) {
    const Value text = hcl::evaluate(*message->expression, context, diagnostics);
    const auto converted = hcl::convert(text, hcl::Type::string());
    if (!converted || converted->is_null() || !converted->is_known()) {
      diagnostics.add("Unsuitable value type", fmt::format("Unsuitable value: {}", converted ? "value must be known" : converted.error()), message->expression->start_range());
    } else if (hcl::trim_space(converted->as_string()).empty()) {
      diagnostics.add("Invalid validation error message", "An empty or blank string is not a valid nor useful error message.", message->expression->range);
    } else {
      rule.message = converted->as_string();
    }
  }
  if (rule.condition) variable.rules.push_back(std::move(rule));
}

void Variables::collect(const ParseInput& input, hcl::Diagnostics& diagnostics) {
  for (Variable& variable : all_) {
    const auto given = input.environment.find("NOMAD_VAR_" + variable.name);
    if (given != input.environment.end()) set_from_text(variable, given->second, "env", diagnostics);
  }
  for (const VariableFile& file : input.variable_files) read_text(file.name, file.text, input.strict, diagnostics);
  if (!input.variables.empty()) read_text(input.file_name, input.variables, input.strict, diagnostics);
  for (const auto& [name, text] : input.flags) {
    if (Variable* variable = find(name)) {
      set_from_text(*variable, text, "cmd", diagnostics);
    } else if (input.strict) {
      diagnostics.add("Undefined -var variable", fmt::format("A {0} variable was passed in the command line but was not found in known variables. To declare variable {0}, place this block in your job file", quote(name)));
    }
  }
}

void Variables::set_from_text(Variable& variable, const std::string& text, const std::string& from, hcl::Diagnostics& diagnostics) {
  const bool literal = variable.type.is_dynamic() || variable.type.kind() == hcl::Kind::string || variable.type.kind() == hcl::Kind::number;
  const hcl::SourcePtr file = hcl::make_source(fmt::format("<value for var.{} from {}>", variable.name, from == "cmd" ? "arguments" : "environment"), text);
  Value value = Value::string(text);
  hcl::Range range{file, {}, {}};
  hcl::advance(range.end, file->text);
  const hcl::Range shown = variable.sensitive ? masked(range) : range;
  if (!literal) {
    hcl::Diagnostics problems;
    const hcl::ExprPtr expression = hcl::parse_expression(file, problems);
    if (!problems.has_errors()) {
      hcl::Budget budget;
      hcl::EvalContext context;
      context.budget = &budget;
      value = hcl::evaluate(*expression, context, problems);
    }
    if (problems.has_errors() && variable.sensitive) {
      return diagnostics.add("Invalid value for variable", fmt::format("The value for {}, which is sensitive and not shown, is no expression of its type.", variable.name), shown);
    }
    diagnostics.append(problems);
    if (problems.has_errors()) return;
  }
  const auto converted = hcl::convert(value, variable.type);
  if (!converted) {
    diagnostics.add(from == "cmd" ? "Invalid argument value for -var variable" : "Invalid value for variable",
                    from == "cmd" ? fmt::format("The received arg value for {} is not compatible with the variable's type constraint: {}.", variable.name, converted.error())
                                  : fmt::format("The value for {} is not compatible with the variable's type constraint: {}.", variable.name, converted.error()),
                    shown);
    return;
  }
  variable.value = VariableValue{*converted, from, shown};
}

void Variables::read_text(const std::string& name, const std::string& text, bool strict, hcl::Diagnostics& diagnostics) {
  const hcl::SourcePtr file = hcl::make_source(name, text);
  hcl::Diagnostics syntax;
  const auto body = hcl::parse_file(file, syntax);
  if (syntax.has_errors()) {
    diagnostics.push({"", "unable to parse var content: " + syntax.first_line(), std::nullopt, false});
    return;
  }
  hcl::Diagnostics unused;
  for (const hcl::Block& block : body->content({{}, {{"variable", {"name"}}}}, unused, true).blocks) {
    diagnostics.add("Variable declaration in a .var file",
                    fmt::format("A .var file is used to assign values to variables that have already been declared in job files, not to declare new variables. To declare variable {}, place this block in one of your job files\n\nTo set a value for this variable in {}, use the definition syntax instead:\n    {} = <value>",
                                quote(block.labels[0]), name, block.labels[0]), block.type_range);
  }
  if (diagnostics.has_errors()) return;
  for (const hcl::Attribute& attribute : body->attributes(diagnostics)) {
    Variable* variable = find(attribute.name);
    if (variable == nullptr) {
      if (strict) {
        diagnostics.add_unnamed("Undefined variable", fmt::format("A {0} variable was set but was not found in known variables. To declare variable {0}, place this block in your job files", quote(attribute.name)), attribute.range);
      }
      continue;
    }
    hcl::Budget budget;
    hcl::EvalContext context;
    context.budget = &budget;
    const Value value = hcl::evaluate(*attribute.expression, context, diagnostics);
    const auto converted = hcl::convert(value, variable->type);
    const hcl::Range shown = variable->sensitive ? masked(attribute.expression->range) : attribute.expression->range;
    if (!converted) {
      diagnostics.add("Invalid value for variable", fmt::format("The value for {} is not compatible with the variable's type constraint: {}.", variable->name, converted.error()), shown);
      continue;
    }
    variable->value = VariableValue{*converted, "varfile", shown};
  }
}

hcl::Value Variables::object() const {
  Value::Map values;
  for (const Variable& variable : all_) values[variable.name] = variable.value ? variable.value->value : Value::unknown(variable.type);
  return Value::object(std::move(values));
}

void Variables::check(const hcl::EvalContext& context, hcl::Diagnostics& diagnostics) const {
  for (const Variable& variable : all_) {
    if (!variable.value) {
      diagnostics.add(fmt::format("Unset variable {}", quote(variable.name)), "A used variable must be set or have a default value; see https://developer.hashicorp.com/nomad/docs/reference/hcl2/variables  for details.");
      continue;
    }
    for (const ValidationRule& rule : variable.rules) {
      // A rule sees nothing but the value it tests.
      hcl::EvalContext scope;
      scope.functions = context.functions;
      scope.budget = context.budget;
      scope.undefined = context.undefined;
      scope.variables["var"] = Value::object({{variable.name, variable.value->value}});
      const std::size_t before = diagnostics.size();
      const Value result = hcl::evaluate(*rule.condition, scope, diagnostics);
      if (diagnostics.size() > before || !result.is_known()) continue;
      const auto invalid = [&](const std::string& why) {
        diagnostics.add("Invalid variable validation result", why, rule.condition->range);
      };
      if (result.is_null()) {
        invalid("Validation condition expression must return either true or false, not null.");
        continue;
      }
      const auto answer = hcl::convert(result, hcl::Type::boolean());
      if (!answer) {
        invalid(fmt::format("Invalid validation condition result value: {}.", answer.error()));
      } else if (!answer->as_bool()) {
        diagnostics.add(fmt::format("Invalid value for {} variable", variable.value->from),
                        fmt::format("{}\n\nThis was checked by the validation rule at {}.", rule.message, rule.range.str()), variable.value->range);
      }
    }
  }
}

hcl::Value evaluate_locals(const hcl::Content& top, const hcl::EvalContext& context, hcl::Diagnostics& diagnostics) {
  std::vector<hcl::Attribute> pending;
  for (const hcl::Block& block : top.blocks) {
    if (block.type != "locals") continue;
    for (hcl::Attribute& attribute : block.body->attributes(diagnostics)) {
      // The later of two with one name wins.
      std::erase_if(pending, [&](const hcl::Attribute& item) { return item.name == attribute.name; });
      pending.push_back(std::move(attribute));
    }
  }
  Value::Map values;
  while (!pending.empty()) {
    hcl::EvalContext scope = hcl::child_of(context);
    scope.variables["local"] = Value::object(values);
    std::vector<hcl::Attribute> left;
    hcl::Diagnostics last;
    for (hcl::Attribute& attribute : pending) {
      scope.variables["local"] = Value::object(values);
      hcl::Diagnostics problems;
      Value value = hcl::evaluate(*attribute.expression, scope, problems);
      if (!problems.has_errors()) {
        values[attribute.name] = std::move(value);
        continue;
      }
      last = problems;
      left.push_back(std::move(attribute));
    }
    if (left.size() == pending.size()) {
      // Nothing new in a whole round: a cycle or an error. The last one found is told.
      diagnostics.append(last);
      break;
    }
    pending = std::move(left);
  }
  return Value::object(std::move(values));
}

}  // namespace drover::jobspec
