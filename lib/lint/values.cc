#include "lib/lint/values.h"

#include <fmt/format.h>

#include <algorithm>

#include "lib/hcl/diagnostic.h"

namespace drover::lint {

namespace {

struct Words {
  std::string_view block, attribute;
  std::vector<std::string> accepted;
};

const std::vector<Words>& table() {
  static const std::vector<Words> rows{
      {"job", "type", {"service", "batch", "system", "sysbatch"}},
      {"parameterized", "payload", {"optional", "required", "forbidden"}},
      {"strategy", "on_failure", {"fail_all", "fail_local"}},
      {"update", "health_check", {"checks", "task_states", "manual"}},
      {"migrate", "health_check", {"checks", "task_states"}},
      {"restart", "mode", {"delay", "fail"}},
      {"reschedule", "delay_function", {"constant", "exponential", "fibonacci"}},
      {"disconnect", "reconcile", {"best_score", "longest_running", "keep_original", "keep_replacement"}},
      {"volume", "type", {"host", "csi"}},
      {"volume", "access_mode", {"single-node-reader-only", "single-node-writer", "single-node-single-writer", "single-node-multi-writer",
                                 "multi-node-reader-only", "multi-node-single-writer", "multi-node-multi-writer"}},
      {"volume", "attachment_mode", {"file-system", "block-device"}},
      {"volume_mount", "propagation_mode", {"private", "host-to-task", "bidirectional"}},
      {"volume_mount", "selinux_label", {"z", "Z"}},
      {"lifecycle", "hook", {"prestart", "poststart", "poststop"}},
      {"template", "change_mode", {"noop", "restart", "signal", "script"}},
      {"vault", "change_mode", {"noop", "restart", "signal"}},
      {"identity", "change_mode", {"noop", "restart", "signal"}},
      {"artifact", "mode", {"any", "file", "dir"}},
      {"numa", "affinity", {"none", "prefer", "require"}},
      {"csi_plugin", "type", {"node", "controller", "monolith"}},
      {"service", "provider", {"consul", "nomad"}},
      {"service", "address_mode", {"auto", "host", "driver", "alloc", "alloc_ipv6"}},
      {"service", "on_update", {"require_healthy", "ignore_warnings", "ignore"}},
      {"check", "type", {"http", "tcp", "grpc", "script"}},
      {"check", "address_mode", {"host", "driver", "alloc", "alloc_ipv6"}},
      {"check", "initial_status", {"passing", "warning", "critical"}},
      {"check", "on_update", {"require_healthy", "ignore_warnings", "ignore"}},
      {"check", "protocol", {"http", "https"}},
      {"constraint", "operator", {"=", "==", "is", "!=", "not", ">", ">=", "<", "<=", "regexp", "version", "semver", "set_contains", "set_contains_all",
                                  "set_contains_any", "distinct_hosts", "distinct_property", "is_set", "is_not_set"}},
      {"affinity", "operator", {"=", "==", "is", "!=", "not", ">", ">=", "<", "<=", "regexp", "version", "semver", "set_contains", "set_contains_all",
                                "set_contains_any"}},
  };
  return rows;
}

}  // namespace

const std::vector<std::string>* accepted_values(std::string_view block, std::string_view attribute) {
  const auto found = std::ranges::find_if(table(), [&](const Words& row) { return row.block == block && row.attribute == attribute; });
  return found == table().end() ? nullptr : &found->accepted;
}

std::string value_hint(std::string_view block, std::string_view attribute, std::string_view given) {
  const auto* accepted = accepted_values(block, attribute);
  if (accepted == nullptr || std::ranges::find(*accepted, given) != accepted->end()) return "";
  std::string out;
  for (std::size_t i = 0; i < accepted->size(); i++) out += fmt::format("{}\"{}\"", i == 0 ? "" : i + 1 == accepted->size() ? " or " : ", ", (*accepted)[i]);
  return fmt::format("{} takes {}.{}", attribute, out, hcl::name_suggestion(given, *accepted));
}

}  // namespace drover::lint
