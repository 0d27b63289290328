#include "cli/client_value.h"

#include <nlohmann/json.hpp>

#include "lib/gotemplate/print.h"
#include "lib/model/alloc.h"
#include "lib/model/api_agent.h"
#include "lib/model/api_deployment.h"
#include "lib/model/api_job.h"
#include "lib/model/api_misc.h"
#include "lib/model/api_volume.h"
#include "lib/model/api_why.h"
#include "lib/model/config.h"
#include "lib/model/deployment.h"
#include "lib/model/eval.h"
#include "lib/model/job.h"
#include "lib/model/job_summary.h"
#include "lib/model/json_text.h"
#include "lib/model/node.h"
#include "lib/model/traits.h"
#include "sdk/base/encoding.h"
#include "sdk/base/text.h"

namespace drover::cli {
namespace {
using gotemplate::Kind;
using gotemplate::Value;
using model::is_box;
using model::is_list;
using model::is_map;
using model::is_optional;
using model::is_shared;

// A time.Time: printed as Go prints it, with the methods scripts use.
class GoTime final : public gotemplate::Object {
 public:
  explicit GoTime(const model::Time& time) : time_(time) {}
  [[nodiscard]] std::string type() const override { return "time.Time"; }
  [[nodiscard]] Value data() const override {
    std::string text = json();
    text[10] = ' ';
    text.pop_back();
    return Value(text + " +0000 UTC");
  }
  [[nodiscard]] std::optional<Result<Value>> call(std::string_view method, const std::vector<Value>&) const override {
    // Go's zero time lies that many seconds before 1970.
    constexpr std::int64_t zero_seconds = -62'135'596'800;
    if (method == "Unix") return Value::integer(time_.is_zero() ? zero_seconds : time_.unix_nanos() / 1'000'000'000, "int64");
    if (method == "UnixNano") return Value::integer(time_.unix_nanos(), "int64");
    if (method == "IsZero") return Value(time_.is_zero());
    if (method == "String") return data();
    return std::nullopt;
  }
  [[nodiscard]] std::string json() const { return time_.is_zero() ? "0001-01-01T00:00:00Z" : format_rfc3339(time_.unix_nanos()); }

 private:
  model::Time time_;
};

// "drover::model::Job" -> "api.Job".
template <class T>
std::string go_name() {
  std::string_view name = __PRETTY_FUNCTION__;
  name.remove_prefix(name.find("T = ") + 4);
  name = name.substr(0, name.find_first_of(";]"));
  name.remove_prefix(name.rfind(':') == std::string_view::npos ? 0 : name.rfind(':') + 1);
  if (name == "AllocListStub") return "api.AllocationListStub";
  return fmt::format("api.{}", name);
}

template <class T>
std::string go_type() {
  if constexpr (std::is_same_v<T, bool>) return "bool";
  else if constexpr (std::is_same_v<T, std::string>) return "string";
  else if constexpr (std::is_floating_point_v<T>) return "float64";
  else if constexpr (std::is_same_v<T, std::int64_t>) return "int";
  else if constexpr (std::is_unsigned_v<T>) return "uint64";
  else if constexpr (std::is_integral_v<T>) return "int";
  else if constexpr (std::is_same_v<T, model::Duration>) return "time.Duration";
  else if constexpr (std::is_same_v<T, model::Time>) return "time.Time";
  else if constexpr (std::is_same_v<T, model::Bytes>) return "[]uint8";
  else if constexpr (std::is_same_v<T, model::Any>) return "interface {}";
  else if constexpr (is_list<T>) return "[]" + go_type<typename T::value_type>();
  else if constexpr (is_map<T>) return "map[string]" + go_type<typename T::mapped_type>();
  else if constexpr (is_box<T> || is_optional<T> || is_shared<T>) {
    using Inner = std::remove_cvref_t<decltype(*std::declval<const T&>())>;
    const std::string inner = go_type<Inner>();
    return inner.starts_with('*') ? inner : "*" + inner;
  } else return "*" + go_name<T>();
}

// Fields the client's types have and the servers' do not, and the other way round.
void adjust(gotemplate::StructData& data) {
  const auto add = [&](const char* name, Value value) { data.fields.emplace_back(name, std::move(value)); };
  const auto drop = [&](std::string_view name) { std::erase_if(data.fields, [&](const auto& field) { return field.first == name; }); };
  if (data.type == "api.Job") {
    add("Migrate", Value::nil("*api.MigrateStrategy"));
    add("Reschedule", Value::nil("*api.ReschedulePolicy"));
  } else if (data.type == "api.ScalingPolicy") {
    add("Namespace", Value(""));
  } else if (data.type == "api.Task") {
    drop("CSIPluginConfig");
  } else if (data.type == "api.LogConfig") {
    add("Enabled", Value::nil("*bool"));
  } else if (data.type == "api.AllocationListStub") {
    drop("DesiredTransition");
    std::erase_if(data.fields, [](const auto& field) { return field.first == "AllocatedResources" && field.second.kind() == Kind::nil; });
  } else if (data.type == "api.Deployment") {
    drop("EvalPriority");
  } else if (data.type == "api.DeploymentState") {
    drop("AutoPromote");
  } else if (data.type == "api.Namespace" || data.type == "api.NodePool") {
    drop("Hash");
  }
}

template <class T>
Value convert(const T& value);

struct FieldCollector {
  gotemplate::StructData& out;

  template <class T, class... Flags>
  void operator()(const char* name, const T& value, Flags... flags) {
    if constexpr (std::is_same_v<T, model::Time>) {
      if ((std::is_same_v<Flags, model::NullZero> || ...) && value.is_zero()) {
        out.fields.emplace_back(name, Value::nil("*time.Time"));
        return;
      }
    }
    ((void)flags, ...);
    out.fields.emplace_back(name, convert(value));
  }
};

template <class T>
Value convert(const T& value) {
  if constexpr (std::is_same_v<T, bool>) return Value(value);
  else if constexpr (std::is_same_v<T, std::string>) return Value(value);
  else if constexpr (std::is_floating_point_v<T>) return Value::floating(static_cast<double>(value));
  else if constexpr (std::is_unsigned_v<T>) return Value::unsigned_integer(value);
  else if constexpr (std::is_integral_v<T>) return Value::integer(static_cast<std::int64_t>(value));
  else if constexpr (std::is_same_v<T, model::Duration>) return Value::integer(value.count(), "time.Duration");
  else if constexpr (std::is_same_v<T, model::Time>) return Value::object(std::make_shared<GoTime>(value));
  else if constexpr (std::is_same_v<T, model::Bytes>) return value.is_nil() ? Value::nil("[]uint8") : Value::bytes(value.data());
  else if constexpr (std::is_same_v<T, model::Any>) return json_value(value.json());
  else if constexpr (is_list<T>) {
    if (value.is_nil()) return Value::nil_list(go_type<T>());
    std::vector<Value> items;
    for (const auto& item : value) items.push_back(convert(item));
    return Value::list(std::move(items), go_type<T>());
  } else if constexpr (is_map<T>) {
    if (value.is_nil()) return Value::nil_map(go_type<T>());
    std::map<std::string, Value, std::less<>> entries;
    for (const auto& [key, item] : value) entries.emplace(key, convert(item));
    return Value::map(std::move(entries), go_type<T>());
  } else if constexpr (is_box<T> || is_optional<T> || is_shared<T>) {
    return value ? convert(*value) : Value::nil(go_type<T>());
  } else {
    gotemplate::StructData data{.type = go_name<T>()};
    FieldCollector collector{data};
    T::describe(value, collector);
    adjust(data);
    return Value::structure(std::make_shared<const gotemplate::StructData>(std::move(data)), true);
  }
}

void append(std::string& out, const Value& value) {
  switch (value.kind()) {
    case Kind::absent: case Kind::nil: out += "null"; break;
    case Kind::boolean: out += value.boolean() ? "true" : "false"; break;
    case Kind::integer: model::append_json_number(out, value.integer()); break;
    case Kind::unsigned_integer: model::append_json_number(out, value.unsigned_integer()); break;
    case Kind::floating: model::append_json_number(out, value.floating()); break;
    case Kind::string: model::append_json_string(out, value.text()); break;
    case Kind::bytes: model::append_json_string(out, base64_encode(value.text())); break;
    case Kind::list: {
      if (value.list().nil) {
        out += "null";
        break;
      }
      out += '[';
      bool first = true;
      for (const Value& item : value.list().items) {
        if (!std::exchange(first, false)) out += ',';
        append(out, item);
      }
      out += ']';
      break;
    }
    case Kind::map: case Kind::structure: {
      if (value.kind() == Kind::map && value.map().nil) {
        out += "null";
        break;
      }
      out += '{';
      bool first = true;
      const auto member = [&](const std::string& name, const Value& item) {
        if (!std::exchange(first, false)) out += ',';
        model::append_json_string(out, name);
        out += ':';
        append(out, item);
      };
      if (value.kind() == Kind::map) for (const auto& [name, item] : value.map().entries) member(name, item);
      else for (const auto& [name, item] : value.structure().fields) member(name, item);
      out += '}';
      break;
    }
    case Kind::object:
      if (const auto* time = dynamic_cast<const GoTime*>(&value.object()); time != nullptr) model::append_json_string(out, time->json());
      else append(out, value.plain());
      break;
  }
}
}  // namespace

template <class T>
Value client_value(const T& value) {
  return convert(value);
}

Value json_value(const model::Json& json) {
  switch (json.type()) {
    case model::Json::value_t::string: return Value(json.get_ref<const std::string&>());
    case model::Json::value_t::boolean: return Value(json.get<bool>());
    case model::Json::value_t::number_integer: return Value::integer(json.get<std::int64_t>());
    case model::Json::value_t::number_unsigned: return Value::integer(static_cast<std::int64_t>(json.get<std::uint64_t>()));
    case model::Json::value_t::number_float: return Value::floating(json.get<double>());
    case model::Json::value_t::array: {
      std::vector<Value> items;
      for (const auto& item : json) items.push_back(json_value(item));
      return Value::list(std::move(items));
    }
    case model::Json::value_t::object: {
      std::map<std::string, Value, std::less<>> entries;
      for (const auto& [key, item] : json.items()) entries.emplace(key, json_value(item));
      return Value::map(std::move(entries));
    }
    default: return {};
  }
}

std::string value_json(const Value& value) {
  std::string out;
  append(out, value);
  return out;
}

template Value client_value(const model::AgentSelf&);
template Value client_value(const model::Allocation&);
template Value client_value(const model::Deployment&);
template Value client_value(const model::Evaluation&);
template Value client_value(const model::Job&);
template Value client_value(const model::JobPlanResponse&);
template Value client_value(const model::HostVolume&);
template Value client_value(const model::JobSummary&);
template Value client_value(const model::JobWhy&);
template Value client_value(const model::Namespace&);
template Value client_value(const model::Node&);
template Value client_value(const model::NodePool&);
template Value client_value(const model::SchedulerConfigurationResponse&);
template Value client_value(const model::List<model::AgentMember>&);
template Value client_value(const model::List<model::AllocListStub>&);
template Value client_value(const model::List<model::Deployment>&);
template Value client_value(const model::List<model::Evaluation>&);
template Value client_value(const model::List<model::HostVolumeStub>&);
template Value client_value(const model::List<model::JobListStub>&);
template Value client_value(const model::List<model::Namespace>&);
template Value client_value(const model::List<model::NodeListStub>&);
template Value client_value(const model::List<model::NodePool>&);
template Value client_value(const model::List<model::TaskGroupHostVolumeClaim>&);
template Value client_value(const model::List<std::shared_ptr<const model::Job>>&);

}  // namespace drover::cli
