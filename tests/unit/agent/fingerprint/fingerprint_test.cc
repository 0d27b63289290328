#include <doctest/doctest.h>

#include "agent/config/load.h"
#include "agent/fingerprint/fingerprint.h"
#include "sdk/base/file.h"

using namespace drover;
using namespace drover::agent;

namespace {

struct Fake {
  TempDir dir = std::move(*TempDir::make());
  Host host;
  Config config = default_config();
  Fake() { host.root = dir.path(); }
  void put(const std::string& path, const std::string& text) {
    REQUIRE(make_directories(dir.path() + path.substr(0, path.rfind('/'))));
    REQUIRE(write_file(dir.path() + path, text));
  }
  model::Node run(void (*function)(const FingerprintInput&, model::Node&)) {
    model::Node node;
    function(FingerprintInput{host, config, "2.0.6+drover", "abc"}, node);
    return node;
  }
};

}  // namespace

TEST_CASE("fingerprint: arch has Go's names") {
  Fake fake;
  fake.host.machine = "x86_64";
  CHECK(fake.run(fingerprint_arch).attributes.at("cpu.arch") == "amd64");
}

TEST_CASE("fingerprint: cpu takes cores, speeds and the configuration's reservations") {
  Fake fake;
  fake.put("/proc/cpuinfo", "processor\t: 0\nmodel name\t: Fast 9\ncpu MHz\t\t: 2000.5\n\nprocessor\t: 1\nmodel name\t: Fast 9\ncpu MHz\t\t: 2100\n");
  fake.put("/sys/devices/system/cpu/online", "0-1\n");
  fake.put("/sys/devices/system/node/online", "0\n");
  fake.put("/sys/devices/system/node/node0/distance", "10\n");
  fake.put("/sys/devices/system/node/node0/cpulist", "0-1\n");
  fake.config.client.reserved.cpu = 200;
  auto node = fake.run(fingerprint_cpu);
  CHECK(node.attributes.at("cpu.modelname") == "Fast 9");
  CHECK(node.attributes.at("cpu.numcores") == "2");
  CHECK(node.attributes.at("cpu.totalcompute") == "4200");
  CHECK(node.attributes.at("cpu.usablecompute") == "4000");
  CHECK(node.attributes.at("numa.node0.cores") == "0,1");
  CHECK(node.node_resources->cpu.reservable_cpu_cores == model::List<std::uint16_t>{0, 1});
  fake.config.client.cpu_total_compute = 8000;
  node = fake.run(fingerprint_cpu);
  CHECK(node.node_resources->cpu.cpu_shares == 8000);
}

TEST_CASE("fingerprint: cpu lists") {
  CHECK(parse_cpu_list("0-2,5") == std::vector<std::uint16_t>{0, 1, 2, 5});
  CHECK(parse_cpu_list("").empty());
}

TEST_CASE("fingerprint: memory, storage, host, kernel, cgroup and bridge") {
  Fake fake;
  fake.put("/proc/meminfo", "MemTotal:       2048000 kB\nMemFree: 1 kB\n");
  CHECK(fake.run(fingerprint_memory).node_resources->memory.memory_mb == 2000);
  fake.config.client.memory_total_mb = 16000;
  CHECK(fake.run(fingerprint_memory).node_resources->memory.memory_mb == 16000);
  fake.host.disk_total_bytes = 10ULL << 30;
  fake.host.disk_device = "/dev/vda1";
  CHECK(fake.run(fingerprint_storage).attributes.at("unique.storage.bytestotal") == "10737418240");
  fake.put("/etc/os-release", "ID=debian\nVERSION_ID=\"12\"\n");
  fake.put("/etc/debian_version", "12.5\n");
  fake.host.hostname = "h";
  CHECK(fake.run(fingerprint_host).attributes.at("os.version") == "12.5");
  fake.host.kernel_name = "Linux";
  fake.host.kernel_release = "6.1.0";
  CHECK(fake.run(fingerprint_kernel).attributes.at("kernel.name") == "linux");
  CHECK(fake.run(fingerprint_cgroup).attributes.get("os.cgroups.version") == nullptr);
  fake.put("/sys/fs/cgroup/tasks", "");
  CHECK(fake.run(fingerprint_cgroup).attributes.at("os.cgroups.version") == "1");
  fake.put("/sys/fs/cgroup/cgroup.controllers", "cpu");
  CHECK(fake.run(fingerprint_cgroup).attributes.at("os.cgroups.version") == "2");
  CHECK(!fake.run(fingerprint_bridge).node_resources);
  fake.put("/proc/modules", "bridge 311296 0 - Live 0x0\n");
  CHECK(fake.run(fingerprint_bridge).node_resources->networks.front().mode == "bridge");
}

TEST_CASE("fingerprint: network takes the interface of the default route and aliases host networks") {
  Fake fake;
  fake.put("/proc/net/route", "Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\neth0\t00000000\t0102A8C0\t0003\t0\t0\t0\t00000000\n");
  fake.host.interfaces = {{.name = "lo", .up = true, .loopback = true, .addresses = {{"127.0.0.1", 8, false}}},
                          {.name = "eth0", .mac = "aa", .up = true, .addresses = {{"10.1.2.3", 24, false}, {"fe80::1", 64, true}}},
                          {.name = "eth1", .up = true, .addresses = {{"192.168.9.1", 24, false}}}};
  fake.config.client.host_networks = {{"public", {.cidr = "192.168.0.0/16"}}};
  auto node = fake.run(fingerprint_network);
  CHECK(node.attributes.at("unique.network.ip-address") == "10.1.2.3");
  REQUIRE(node.node_resources->networks.size() == 1);
  CHECK(node.node_resources->networks[0].cidr == "10.1.2.3/32");
  CHECK(node.node_resources->networks[0].m_bits == 1000);
  REQUIRE(node.node_resources->node_networks.size() == 2);
  CHECK(node.node_resources->node_networks[0].addresses[0].alias == "default");
  CHECK(node.node_resources->node_networks[1].addresses[0].alias == "public");
}

TEST_CASE("fingerprint: the deny list leaves one out, and the real machine has its facts") {
  const Host host = read_host("/nowhere/yet");
  Config config = default_config();
  config.client.options["fingerprint.denylist"] = "memory, signal";
  model::Node node;
  run_fingerprints({host, config, "2.0.6+drover", ""}, node);
  CHECK(node.attributes.get("memory.totalbytes") == nullptr);
  CHECK(node.attributes.get("os.signals") == nullptr);
  CHECK(node.attributes.at("kernel.name") == "linux");
  CHECK(node.node_resources->disk.disk_mb > 0);
}

TEST_CASE("fingerprint: at reload what changed is seen, what is gone is taken away, and the rest stays as it was") {
  Fake fake;
  fake.put("/proc/cpuinfo", "processor\t: 0\nmodel name\t: Fast 9\ncpu MHz\t\t: 2000\n");
  fake.put("/sys/devices/system/cpu/online", "0-1\n");
  fake.put("/proc/meminfo", "MemTotal:       2048000 kB\n");
  fake.put("/proc/modules", "bridge 311296 0 - Live 0x0\n");
  fake.config.client.network_interface = "eth0";
  fake.config.client.reserved.cores = "1";
  fake.host.hostname = "before";
  fake.host.disk_total_bytes = 10ULL << 30;
  fake.host.interfaces = {{.name = "eth0", .mac = "02:00:00:00:00:01", .up = true, .addresses = {{"10.0.0.1", 24}}}};
  model::Node node;
  const FingerprintInput in{fake.host, fake.config, "2.0.6+drover", "abc"};
  run_fingerprints(in, node);
  const model::Node first = node;
  CHECK(node.node_resources->networks.size() == 2);  // the bridge and the address
  CHECK(node.reserved_resources->cpu.reserved_cpu_cores.size() == 1);
  rerun_fingerprints(in, node);
  CHECK(node == first);

  fake.put("/sys/devices/system/cpu/online", "0\n");
  fake.put("/proc/meminfo", "MemTotal:       1024000 kB\n");
  fake.put("/proc/modules", "loop 40960 0 - Live 0x0\n");
  fake.put("/proc/cpuinfo", "processor\t: 0\ncpu MHz\t\t: 2000\n");
  fake.host.hostname = "after";
  fake.host.disk_total_bytes = 5ULL << 30;
  fake.host.interfaces[0].addresses = {{"10.0.0.2", 24}};
  rerun_fingerprints(in, node);
  CHECK(node.attributes.at("cpu.numcores") == "1");
  CHECK(node.attributes.get("cpu.modelname") == nullptr);
  CHECK(node.node_resources->memory.memory_mb == 1000);
  CHECK(node.attributes.get("nomad.bridge.hairpin_mode") == nullptr);
  REQUIRE(node.node_resources->networks.size() == 1);
  CHECK(node.node_resources->networks[0].ip == "10.0.0.2");
  CHECK(node.attributes.at("unique.network.ip-address") == "10.0.0.2");
  CHECK(node.attributes.at("unique.hostname") == "before");
  CHECK(node.attributes.at("unique.storage.bytestotal") == first.attributes.at("unique.storage.bytestotal"));
}
