// What a machine must have so that tasks run fully on it, each with what its lack disables and the command that mends it.
// Pure: facts of the machine go in, findings come out in the order they are shown.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "agent/fingerprint/fingerprint.h"

namespace drover::cli {

// What no file tells.
struct DoctorFacts {
  agent::Host host;
  std::string data_dir;                        // absolute
  std::string libexec;                         // of the plugins; drover-executor is in the directory above it
  std::string path;                            // where programs are looked for
  bool root = false;
  std::uint64_t capabilities = 0;              // effective ones
  std::map<std::string, int> system_calls;     // name -> 0, or the errno of a harmless use
  std::uint64_t open_files = 0;                // hard limit
  std::optional<bool> delegated;               // whether systemd has delegated the agent's cgroup; empty: there is no such unit
};
// This machine.
[[nodiscard]] DoctorFacts read_doctor_facts(const std::string& data_dir);

enum class Finding : std::uint8_t {
  ok,
  optional,  // one feature of several is not there; nodes without it are good nodes
  missing,   // the agent, or isolation of tasks, does not work fully
};

struct Check {
  std::string name;      // "cgroup.controllers"
  Finding finding = Finding::ok;
  std::string found;     // what is there, or that it is not
  std::string disables;  // of what is not well
  std::string remedy;    // commands or settings
};
[[nodiscard]] std::vector<Check> examine(const DoctorFacts& facts);

}  // namespace drover::cli
