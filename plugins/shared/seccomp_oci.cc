// Profiles in the format of the OCI runtime specification (`linux.seccomp`), and of the container engines, which add conditions
// on capabilities and architectures.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "plugins/shared/seccomp.h"
#include "plugins/shared/seccomp_filter.h"

namespace drover {
namespace {

using nlohmann::json;

constexpr int max_depth = 16;

Result<std::uint32_t> action_of(const json& value, std::uint32_t error_number) {
  const std::string name = value.is_string() ? value.get<std::string>() : "";
  if (name == "SCMP_ACT_ALLOW") return SCMP_ACT_ALLOW;
  if (name == "SCMP_ACT_ERRNO") return SCMP_ACT_ERRNO(error_number);
  if (name == "SCMP_ACT_KILL" || name == "SCMP_ACT_KILL_THREAD") return SCMP_ACT_KILL_THREAD;
  if (name == "SCMP_ACT_KILL_PROCESS") return SCMP_ACT_KILL_PROCESS;
  if (name == "SCMP_ACT_TRAP") return SCMP_ACT_TRAP;
  if (name == "SCMP_ACT_LOG") return SCMP_ACT_LOG;
  // TRACE and NOTIFY need somebody who answers.
  return fail(Code::invalid_argument, "action \"{}\" is not supported: use ALLOW, ERRNO, KILL, KILL_PROCESS, TRAP or LOG", name);
}

Result<scmp_compare> comparison_of(const std::string& name) {
  static const std::map<std::string, scmp_compare> names{{"SCMP_CMP_NE", SCMP_CMP_NE}, {"SCMP_CMP_LT", SCMP_CMP_LT}, {"SCMP_CMP_LE", SCMP_CMP_LE},
                                                         {"SCMP_CMP_EQ", SCMP_CMP_EQ}, {"SCMP_CMP_GE", SCMP_CMP_GE}, {"SCMP_CMP_GT", SCMP_CMP_GT},
                                                         {"SCMP_CMP_MASKED_EQ", SCMP_CMP_MASKED_EQ}};
  const auto at = names.find(name);
  if (at == names.end()) return fail(Code::invalid_argument, "unknown comparison \"{}\"", name);
  return at->second;
}

std::uint32_t error_of(const json& object, const char* key, std::uint32_t fallback) {
  const auto at = object.find(key);
  return at != object.end() && at->is_number_unsigned() && at->get<std::uint64_t>() < 4096 ? at->get<std::uint32_t>() : fallback;
}

Result<std::vector<scmp_arg_cmp>> arguments_of(const json& rule) {
  std::vector<scmp_arg_cmp> out;
  const auto list = rule.find("args");
  if (list == rule.end() || list->is_null()) return out;
  if (!list->is_array()) return fail(Code::invalid_argument, "\"args\" is not a list");
  for (const auto& entry : *list) {
    const auto number = [&](const char* key) {
      const auto at = entry.find(key);
      return at != entry.end() && at->is_number_unsigned() ? at->get<std::uint64_t>() : 0;
    };
    if (!entry.is_object() || number("index") > 5) return fail(Code::invalid_argument, "\"args\" has an entry without an index from 0 to 5");
    const auto op = entry.find("op");
    const auto compare = comparison_of(op != entry.end() && op->is_string() ? op->get<std::string>() : "");
    if (!compare) return fail(compare.error());
    out.push_back({static_cast<unsigned>(number("index")), *compare, number("value"), number("valueTwo")});
  }
  return out;
}

// The engines' conditions: all capabilities named must be had (includes), or none (excludes); only this machine's architecture.
Result<bool> applies(const json& rule, CapabilityMask capabilities) {
  for (const char* kind : {"includes", "excludes"}) {
    const auto condition = rule.find(kind);
    if (condition == rule.end() || condition->is_null()) continue;
    if (!condition->is_object()) return fail(Code::invalid_argument, "\"{}\" is not an object", kind);
    const bool wanted = std::string_view(kind) == "includes";
    for (const auto& [key, value] : condition->items()) {
      bool matches = false;
      if (key == "caps" && value.is_array()) {
        CapabilityMask named = 0;
        for (const auto& name : value) {
          const auto mask = parse_capability(name.is_string() ? name.get<std::string>() : "");
          named |= mask ? *mask : CapabilityMask{1} << 63;  // one this kernel lacks is had by nobody
        }
        matches = wanted ? (capabilities & named) == named : (capabilities & named) != 0;
      } else if (key == "arches" && value.is_array()) {
        matches = std::any_of(value.begin(), value.end(), [](const json& name) { return name == "amd64" || name == "x86_64"; });
      } else if (key == "minKernel") {
        matches = true;  // ours need 5.12
      } else {
        return fail(Code::invalid_argument, "condition \"{}\" of \"{}\" is not supported", key, kind);
      }
      if (matches != wanted) return false;
    }
  }
  return true;
}

Result<> add_rule(SeccompFilter& filter, const json& rule, CapabilityMask capabilities) {
  if (!rule.is_object()) return fail(Code::invalid_argument, "\"syscalls\" has an entry that is not an object");
  const auto applied = applies(rule, capabilities);
  if (!applied) return fail(applied.error());
  if (!*applied) return {};
  const auto action = action_of(rule.value("action", json()), error_of(rule, "errnoRet", EPERM));
  if (!action) return fail(action.error());
  const auto arguments = arguments_of(rule);
  if (!arguments) return fail(arguments.error());
  std::vector<std::string> names;
  if (const auto list = rule.find("names"); list != rule.end() && list->is_array()) {
    for (const auto& name : *list) names.push_back(name.is_string() ? name.get<std::string>() : "");
  } else if (const auto one = rule.find("name"); one != rule.end() && one->is_string()) {
    names.push_back(one->get<std::string>());
  }
  if (names.empty()) return fail(Code::invalid_argument, "\"syscalls\" has an entry without names");
  for (const auto& name : names) DROVER_TRY(filter.add(*action, name, *arguments, true));
  return {};
}

bool is_too_deep(const std::string& text) {
  int depth = 0;
  for (const char c : text) {
    if (c == '{' || c == '[') ++depth;
    if (c == '}' || c == ']') --depth;
    if (depth > max_depth) return true;
  }
  return false;
}

}  // namespace

Result<std::string> compile_oci_profile(const std::string& text, CapabilityMask capabilities) {
  const auto whole = is_too_deep(text) ? json() : json::parse(text, nullptr, false);
  if (!whole.is_object()) return fail(Code::invalid_argument, "not a JSON object");
  // A whole runtime configuration is taken too.
  const json profile = whole.contains("linux") && whole["linux"].is_object() ? whole["linux"].value("seccomp", json()) : whole;
  if (!profile.is_object() || !profile.contains("defaultAction")) return fail(Code::invalid_argument, "no \"defaultAction\"");
  const auto fallback = action_of(profile["defaultAction"], error_of(profile, "defaultErrnoRet", EPERM));
  if (!fallback) return fail(fallback.error(), "defaultAction");
  SeccompFilter filter(*fallback);
  if (!filter.ready()) return fail(Code::internal, "libseccomp refuses to make a filter");
  if (const auto list = profile.find("architectures"); list != profile.end() && list->is_array()) {
    for (const auto& name : *list) DROVER_TRY(filter.add_architecture(name.is_string() ? name.get<std::string>() : ""));
  }
  if (const auto list = profile.find("syscalls"); list != profile.end() && !list->is_null()) {
    if (!list->is_array()) return fail(Code::invalid_argument, "\"syscalls\" is not a list");
    for (const auto& rule : *list) DROVER_TRY(add_rule(filter, rule, capabilities));
  }
  return filter.program();
}

}  // namespace drover
