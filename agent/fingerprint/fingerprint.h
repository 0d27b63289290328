// What a machine is: each fingerprinter turns facts of a Host into attributes and resources of a node, one file each.
//
// A Host is a root directory with /proc, /sys and /etc in it, plus what only system calls tell; tests use a directory of their
// own. Blocking reads of small files, no processes, a few milliseconds in all: run at start and at reload.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "agent/config/config.h"
#include "lib/model/node.h"

namespace drover::agent {

struct InterfaceAddress {
  std::string address;  // without prefix
  int prefix = 0;
  bool v6 = false;
};
struct Interface {
  std::string name, mac;
  bool up = false, loopback = false;
  std::vector<InterfaceAddress> addresses;
};

struct Host {
  std::string root;  // empty: the real one; else a directory, without a trailing slash
  std::string hostname, kernel_name, kernel_release, machine;  // uname(2)
  std::vector<Interface> interfaces;
  std::uint64_t disk_total_bytes = 0, disk_free_bytes = 0;     // of the file system that holds the allocations
  std::string disk_device;
  long online_cpus = 0;
  int landlock_abi = 0;

  // Content of a small file below root, white space trimmed; empty when it cannot be read.
  [[nodiscard]] std::string read(const std::string& path) const;
  [[nodiscard]] bool exists(const std::string& path) const;
};
// This machine; `alloc_dir` chooses the file system (its nearest existing parent).
[[nodiscard]] Host read_host(const std::string& alloc_dir);

struct FingerprintInput {
  const Host& host;
  const Config& config;
  std::string version, revision;  // shown to clients: a Nomad version with our metadata
};

void fingerprint_arch(const FingerprintInput& in, model::Node& node);
void fingerprint_bridge(const FingerprintInput& in, model::Node& node);
void fingerprint_cgroup(const FingerprintInput& in, model::Node& node);
void fingerprint_cpu(const FingerprintInput& in, model::Node& node);
void fingerprint_host(const FingerprintInput& in, model::Node& node);
void fingerprint_kernel(const FingerprintInput& in, model::Node& node);
void fingerprint_memory(const FingerprintInput& in, model::Node& node);
void fingerprint_network(const FingerprintInput& in, model::Node& node);
void fingerprint_nomad(const FingerprintInput& in, model::Node& node);
void fingerprint_signal(const FingerprintInput& in, model::Node& node);
void fingerprint_storage(const FingerprintInput& in, model::Node& node);
// Every one above in order, minus `fingerprint.denylist`, or only those of `fingerprint.allowlist` (client options).
void run_fingerprints(const FingerprintInput& in, model::Node& node);
// At reload (client.md 1.8): arch, bridge, cpu, memory and network again, on a node that run_fingerprints filled. What they found
// before and is gone is taken away; the others keep what they found at start.
void rerun_fingerprints(const FingerprintInput& in, model::Node& node);

// "0-3,8" to numbers in order; parts that are no range are left out.
[[nodiscard]] std::vector<std::uint16_t> parse_cpu_list(const std::string& text);
// Go's name of a machine: x86_64 is amd64.
[[nodiscard]] std::string go_arch(const std::string& machine);

}  // namespace drover::agent
