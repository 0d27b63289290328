// Walks a template's tree over data and writes the text.
#include <fmt/format.h>

#include <algorithm>

#include "lib/gotemplate/parser.h"
#include "lib/gotemplate/print.h"
#include "lib/gotemplate/template.h"
#include "sdk/base/text.h"

namespace drover::gotemplate {
namespace {
// Templates that call each other without end are stopped here, long before the stack is full.
constexpr int max_depth = 1000;

enum class Flow { on, break_, continue_ };

struct Variable {
  std::string name;
  Value value;
};

class Execution {
 public:
  Execution(const Tree& tree, const Functions& functions, const Options& options, std::string name, std::string& out)
      : tree_(tree), functions_(functions), options_(options), name_(std::move(name)), out_(out) {}

  Result<> run(const Nodes& nodes, const Value& data, int depth) {
    depth_ = depth;
    variables_ = {{"$", data}};
    auto flow = walk(nodes, data);
    if (!flow) return fail(flow.error());
    return {};
  }

 private:
  // The node that is being evaluated, for messages.
  void at(const Operand& operand) { place_ = operand.at; place_text_ = nullptr; operand_ = &operand; command_ = nullptr; }
  void at(const Command& command) { place_ = command.at; operand_ = nullptr; command_ = &command; }
  void at(const Pipe& pipe) { place_ = pipe.at; operand_ = nullptr; command_ = nullptr; place_text_ = &pipe; }
  [[nodiscard]] std::string context() const {
    if (operand_ != nullptr) return operand_->str();
    if (command_ != nullptr) return command_->str();
    return place_text_ != nullptr ? place_text_->str() : "";
  }

  template <class... A>
  Unexpected wrong(fmt::format_string<A...> format, A&&... arguments) const {
    return wrong_at(context(), fmt::format(format, std::forward<A>(arguments)...));
  }
  Unexpected wrong_at(std::string_view what, std::string_view message) const {
    const std::string_view before = std::string_view(tree_.text).substr(0, place_);
    const auto line = 1 + std::count(before.begin(), before.end(), '\n');
    const std::size_t newline = before.rfind('\n');
    const std::size_t column = newline == std::string_view::npos ? place_ : place_ - newline - 1;
    return fail(Code::invalid_argument, "template: {}:{}:{}: executing {} at <{}>: {}", tree_.name, line, column, quote(name_), what, message);
  }

  Result<Flow> walk(const Nodes& nodes, const Value& dot) {
    for (const Node& node : nodes) {
      auto flow = walk(node, dot);
      if (!flow) return fail(flow.error());
      if (*flow != Flow::on) return *flow;
    }
    return Flow::on;
  }

  Result<Flow> walk(const Node& node, const Value& dot) {
    switch (node.kind) {
      case NodeKind::text: out_ += node.text; return Flow::on;
      case NodeKind::break_: return Flow::break_;
      case NodeKind::continue_: return Flow::continue_;
      case NodeKind::action: {
        auto value = evaluate(*node.pipe, dot);
        if (!value) return fail(value.error());
        if (node.pipe->variables.empty()) out_ += to_text(*value);
        return Flow::on;
      }
      case NodeKind::if_: case NodeKind::with: {
        const std::size_t mark = variables_.size();
        auto value = evaluate(*node.pipe, dot);
        if (!value) return fail(value.error());
        const bool inside = node.kind == NodeKind::with;
        auto flow = value->truth() ? walk(node.body, inside ? *value : dot) : walk(node.otherwise, dot);
        variables_.resize(mark);
        return flow;
      }
      case NodeKind::range: {
        const std::size_t mark = variables_.size();
        auto done = range(node, dot);
        variables_.resize(mark);
        if (!done) return fail(done.error());
        return Flow::on;
      }
      case NodeKind::template_: {
        const auto found = tree_.templates.find(node.text);
        if (found == tree_.templates.end()) {
          place_ = node.at;
          return wrong_at(fmt::format("{{{{template {}}}}}", quote(node.text)), fmt::format("template {} not defined", quote(node.text)));
        }
        if (depth_ >= max_depth) {
          place_ = node.at;
          return wrong_at(fmt::format("{{{{template {}}}}}", quote(node.text)), fmt::format("exceeded maximum template depth ({})", max_depth));
        }
        Value data;
        if (node.pipe) {
          auto value = evaluate(*node.pipe, dot);
          if (!value) return fail(value.error());
          data = std::move(*value);
        }
        Execution inner(tree_, functions_, options_, node.text, out_);
        DROVER_TRY(inner.run(found->second, data, depth_ + 1));
        return Flow::on;
      }
    }
    return Flow::on;
  }

  Result<> range(const Node& node, const Value& dot) {
    auto given = evaluate(*node.pipe, dot);
    if (!given) return fail(given.error());
    const Value value = given->plain();
    const std::size_t mark = variables_.size();
    bool stop = false;
    const auto once = [&](const Value& key, const Value& item) -> Result<> {
      const auto& names = node.pipe->variables;
      // The variables were pushed by the pipeline, last one last; each round sets them anew.
      const auto set = [&](std::size_t back, const std::string& name, const Value& to) {
        if (node.pipe->assigns) assign(name, to);
        else variables_[mark - back].value = to;
      };
      if (names.size() == 1) set(1, names[0], item);
      if (names.size() == 2) {
        set(2, names[0], key);
        set(1, names[1], item);
      }
      auto flow = walk(node.body, item);
      if (!flow) return fail(flow.error());
      variables_.resize(mark);
      stop = *flow == Flow::break_;
      return {};
    };
    bool any = false;
    switch (value.kind()) {
      case Kind::absent: case Kind::nil: break;
      case Kind::list:
        for (std::size_t i = 0; i < value.list().items.size() && !stop; ++i) {
          any = true;
          DROVER_TRY(once(Value::integer(static_cast<std::int64_t>(i)), value.list().items[i]));
        }
        break;
      case Kind::bytes:
        for (std::size_t i = 0; i < value.text().size() && !stop; ++i) {
          any = true;
          DROVER_TRY(once(Value::integer(static_cast<std::int64_t>(i)), Value::unsigned_integer(static_cast<unsigned char>(value.text()[i]), "uint8")));
        }
        break;
      case Kind::map:
        for (const auto& [key, item] : value.map().entries) {
          if (stop) break;
          any = true;
          DROVER_TRY(once(Value(key), item));
        }
        break;
      case Kind::integer:
        if (node.pipe->variables.size() > 1) return wrong("can't use {} to iterate over more than one variable", to_text(value));
        for (std::int64_t i = 0; i < value.integer() && !stop; ++i) {
          any = true;
          DROVER_TRY(once(Value::integer(i), Value::integer(i)));
        }
        break;
      default: return wrong("range can't iterate over {}", to_text(value));
    }
    if (any) return {};
    auto flow = walk(node.otherwise, dot);
    if (!flow) return fail(flow.error());
    return {};
  }

  void assign(std::string_view name, const Value& value) {
    for (auto variable = variables_.rbegin(); variable != variables_.rend(); ++variable) {
      if (variable->name == name) {
        variable->value = value;
        return;
      }
    }
  }

  Result<Value> evaluate(const Pipe& pipe, const Value& dot) {
    at(pipe);
    std::optional<Value> value;
    for (const Command& command : pipe.commands) {
      auto next = evaluate(command, dot, value);
      if (!next) return fail(next.error());
      value = std::move(*next);
    }
    for (const std::string& name : pipe.variables) {
      if (pipe.assigns) assign(name, *value);
      else variables_.push_back({name, *value});
    }
    return std::move(*value);
  }

  Result<Value> evaluate(const Command& command, const Value& dot, const std::optional<Value>& last) {
    const Operand& first = command.operands[0];
    switch (first.form) {
      case Form::field:
        at(first);
        return fields(dot, first.names, 0, command, dot, last, first);
      case Form::chain: return chain(first, command, dot, last);
      case Form::variable: {
        at(first);
        Value value = variable(first.names[0]);
        if (first.names.size() > 1) return fields(value, first.names, 1, command, dot, last, first);
        DROVER_TRY(not_a_function(command, last));
        return value;
      }
      case Form::function: return call_function(first, command, dot, last);
      case Form::pipe:
        DROVER_TRY(not_a_function(command, last));
        return evaluate(*first.pipe, dot);
      default: break;
    }
    at(first);
    DROVER_TRY(not_a_function(command, last));
    if (first.form == Form::dot) return dot;
    if (first.form == Form::nil) return wrong("nil is not a command");
    return first.constant;
  }

  Result<> not_a_function(const Command& command, const std::optional<Value>& last) const {
    if (command.operands.size() > 1 || last) return wrong("can't give argument to non-function {}", command.operands[0].str());
    return {};
  }

  Value variable(std::string_view name) const {
    for (auto one = variables_.rbegin(); one != variables_.rend(); ++one) {
      if (one->name == name) return one->value;
    }
    return {};
  }

  Result<Value> chain(const Operand& operand, const Command& command, const Value& dot, const std::optional<Value>& last) {
    at(operand);
    if (operand.base->form == Form::nil) return wrong("indirection through explicit nil in {}", operand.str());
    auto base = argument(*operand.base, dot);
    if (!base) return fail(base.error());
    return fields(*base, operand.names, 0, command, dot, last, operand);
  }

  // The fields from `from` on; the last may be a method that takes the command's arguments.
  Result<Value> fields(Value value, const std::vector<std::string>& names, std::size_t from, const Command& command, const Value& dot,
                       const std::optional<Value>& last, const Operand& operand) {
    static const Command none;
    for (std::size_t i = from; i < names.size(); ++i) {
      const bool final = i + 1 == names.size();
      auto next = field(value, names[i], final ? command : none, dot, final ? last : std::nullopt, operand);
      if (!next) return fail(next.error());
      value = std::move(*next);
    }
    return value;
  }

  Result<Value> field(const Value& receiver, const std::string& name, const Command& command, const Value& dot, const std::optional<Value>& last,
                      const Operand& operand) {
    const bool has_arguments = command.operands.size() > 1 || last;
    if (receiver.kind() == Kind::absent) {
      if (options_.missing_key_is_error) return wrong("nil data; no entry for key {}", quote(name));
      return Value();
    }
    if (receiver.kind() == Kind::object) {
      std::vector<Value> arguments;
      for (std::size_t i = 1; i < command.operands.size(); ++i) {
        auto value = argument(command.operands[i], dot);
        if (!value) return fail(value.error());
        arguments.push_back(std::move(*value));
      }
      if (last) arguments.push_back(*last);
      if (auto result = receiver.object().call(name, arguments); result) {
        if (*result) return std::move(**result);
        at(operand);
        return wrong("error calling {}: {}", name, result->error().message());
      }
    }
    const Value value = receiver.plain();
    const Value* found = value.member(name);
    if (value.kind() == Kind::structure && found != nullptr) {
      if (has_arguments) return wrong("{} has arguments but cannot be invoked as function", name);
      return *found;
    }
    if (value.kind() == Kind::map) {
      if (has_arguments) return wrong("{} is not a method but has arguments", name);
      if (found != nullptr) return *found;
      if (options_.missing_key_is_error) return wrong("map has no entry for key {}", quote(name));
      return Value();
    }
    if (value.kind() == Kind::nil) return wrong("nil pointer evaluating {}.{}", value.type(), name);
    return wrong("can't evaluate field {} in type {}", name, receiver.type());
  }

  Result<Value> call_function(const Operand& name, const Command& command, const Value& dot, const std::optional<Value>& last) {
    at(name);
    const auto found = functions_.find(name.text);
    if (found == functions_.end()) return wrong("{} is not a defined function", quote(name.text));
    const Function& function = found->second;
    const std::size_t given = command.operands.size() - 1 + (last ? 1 : 0);
    const bool variadic = !function.parameters.empty() && function.parameters.back().starts_with("...");
    const std::size_t fixed = function.parameters.size() - (variadic ? 1 : 0);
    if (variadic && given < fixed) return wrong("wrong number of args for {}: want at least {} got {}", name.text, fixed, given);
    if (!variadic && given != fixed) return wrong("wrong number of args for {}: want {} got {}", name.text, fixed, given);
    const bool is_and = name.text == "and", is_or = name.text == "or";
    std::vector<Value> arguments;
    for (std::size_t i = 0; i < given; ++i) {
      const std::string_view type = i < fixed ? std::string_view(function.parameters[i]) : std::string_view(function.parameters.back()).substr(3);
      Value value;
      if (i + 1 < command.operands.size()) {
        auto evaluated = argument(command.operands[i + 1], dot, type);
        if (!evaluated) return fail(evaluated.error());
        value = std::move(*evaluated);
      } else {
        value = *last;
        DROVER_TRY(check_type(value, type));
      }
      if ((is_and && !value.truth()) || (is_or && value.truth())) return value;
      arguments.push_back(std::move(value));
    }
    auto result = function.call(arguments);
    if (result) return result;
    at(command);
    return wrong("error calling {}: {}", name.text, result.error().message());
  }

  // The value of an operand that is an argument; a constant must fit the parameter.
  Result<Value> argument(const Operand& operand, const Value& dot, std::string_view type = "") {
    at(operand);
    Value value;
    const Command alone{.at = operand.at, .operands = {}};
    switch (operand.form) {
      case Form::dot: value = dot; break;
      case Form::nil:
        if (!type.empty()) return wrong("cannot assign nil to {}", type);
        return Value();
      case Form::boolean: case Form::number: case Form::string: return constant(operand, type);
      case Form::field: {
        auto out = fields(dot, operand.names, 0, alone, dot, std::nullopt, operand);
        if (!out) return fail(out.error());
        value = std::move(*out);
        break;
      }
      case Form::variable: {
        auto out = fields(variable(operand.names[0]), operand.names, 1, alone, dot, std::nullopt, operand);
        if (!out) return fail(out.error());
        value = std::move(*out);
        break;
      }
      case Form::chain: {
        auto out = chain(operand, alone, dot, std::nullopt);
        if (!out) return fail(out.error());
        value = std::move(*out);
        break;
      }
      case Form::pipe: {
        auto out = evaluate(*operand.pipe, dot);
        if (!out) return fail(out.error());
        value = std::move(*out);
        break;
      }
      case Form::function: {
        const Command call{.at = operand.at, .operands = {operand}};
        auto out = call_function(operand, call, dot, std::nullopt);
        // `call` ends here: messages after this point name the operand.
        at(operand);
        if (!out) return out;
        value = std::move(*out);
        break;
      }
    }
    DROVER_TRY(check_type(value, type));
    return value;
  }

  Result<Value> constant(const Operand& operand, std::string_view type) const {
    const Value& value = operand.constant;
    const auto wrong_constant = [&](const char* wanted) { return wrong("expected {}; found {}", wanted, operand.text); };
    if (type == "string" && operand.form != Form::string) return wrong_constant("string");
    if (type == "bool" && operand.form != Form::boolean) return wrong_constant("bool");
    if (type == "int" || type == "int64") {
      if (operand.form != Form::number || value.kind() != Kind::integer) return wrong_constant("integer");
      return Value::integer(value.integer(), std::string(type));
    }
    if (type == "float64") {
      if (operand.form != Form::number) return wrong_constant("float");
      return value.kind() == Kind::integer ? Value::floating(static_cast<double>(value.integer())) : value;
    }
    if (type.starts_with('[') || type.starts_with("map[") || type.starts_with('*')) return wrong("can't handle {} for arg of type {}", operand.str(), type);
    return value;
  }

  Result<> check_type(const Value& value, std::string_view type) const {
    if (type.empty() || value.type() == type) return {};
    // Structs are held by pointer here; a parameter may want the value.
    if (value.is_pointer() && value.type().substr(1) == type) return {};
    if (value.kind() == Kind::absent) return wrong("invalid value; expected {}", type);
    return wrong("wrong type for value; expected {}; got {}", type, value.type());
  }

  const Tree& tree_;
  const Functions& functions_;
  const Options& options_;
  std::string name_;
  std::string& out_;
  std::vector<Variable> variables_;
  int depth_ = 0;
  std::size_t place_ = 0;
  const Operand* operand_ = nullptr;
  const Command* command_ = nullptr;
  const Pipe* place_text_ = nullptr;
};
}  // namespace

Result<Template> Template::parse(std::string name, std::string_view text, Functions functions, Options options) {
  Template out;
  out.functions_ = std::make_shared<const Functions>(std::move(functions));
  out.options_ = std::move(options);
  auto tree = parse_template(std::move(name), text, *out.functions_, out.options_);
  if (!tree) return fail(tree.error());
  out.tree_ = std::make_shared<const Tree>(std::move(*tree));
  return out;
}

Result<std::string> Template::execute(const Value& data) const {
  std::string out;
  Execution execution(*tree_, *functions_, options_, tree_->name, out);
  DROVER_TRY(execution.run(tree_->templates.at(tree_->name), data, 0));
  return out;
}

}  // namespace drover::gotemplate
