#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>

#include "cli/agent/doctor_checks.h"
#include "sdk/base/file.h"

using namespace drover;
using cli::Check;
using cli::Finding;

namespace {

// A machine in a directory that has everything, until a test takes something away.
struct Machine {
  TempDir directory = *TempDir::make();
  cli::DoctorFacts facts;

  Machine() {
    facts.host.root = directory.path();
    facts.host.kernel_release = "6.1.0-test";
    facts.host.landlock_abi = 3;
    facts.host.disk_free_bytes = std::uint64_t{50} << 30;
    facts.data_dir = "/var/lib/drover";
    facts.libexec = "/usr/libexec/drover/plugins";
    facts.path = "/usr/bin:/usr/sbin";
    facts.root = true;
    facts.capabilities = ~std::uint64_t{0};
    facts.open_files = 1 << 20;
    facts.delegated = true;
    for (const char* name : {"clone3", "pidfd_open", "openat2", "close_range", "mount_setattr"}) facts.system_calls[name] = 0;
    put("/proc/self/mountinfo", "22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw\n30 22 0:26 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw\n");
    put("/proc/self/mounts", "/dev/vda / ext4 rw,relatime 0 0\n");
    put("/sys/fs/cgroup/cgroup.controllers", "cpuset cpu io memory hugetlb pids rdma misc\n");
    put("/proc/filesystems", "nodev\tproc\nnodev\tmqueue\n\text4\nnodev\toverlay\n");
    put("/proc/sys/net/ipv4/ip_local_port_range", "32768\t60999\n");
    put("/proc/sys/net/ipv4/ip_forward", "1\n");
    put("/proc/sys/net/bridge/bridge-nf-call-iptables", "1\n");
    put("/proc/sys/kernel/pid_max", "4194304\n");
    put("/proc/sys/kernel/threads-max", "126000\n");
    for (const char* name : {"mnt", "pid", "ipc", "net", "uts"}) put(std::string("/proc/self/ns/") + name, "");
    for (const char* path : {"/proc/sys/kernel/seccomp/actions_avail", "/sys/module/bridge/x", "/sys/module/veth/x", "/usr/bin/java", "/usr/bin/git",
                             "/usr/bin/qemu-system-x86_64", "/usr/sbin/iptables", "/run/docker.sock", "/run/systemd/system/x", "/opt/cni/bin/bridge",
                             "/usr/libexec/drover/drover-executor", "/usr/libexec/drover/plugins/drover-driver-raw-exec",
                             "/usr/libexec/drover/plugins/drover-driver-exec", "/usr/libexec/drover/plugins/drover-driver-java",
                             "/usr/libexec/drover/plugins/drover-driver-qemu"}) {
      put(path, "x");
    }
  }
  void put(const std::string& path, const std::string& text) {
    const std::string at = directory.path() + path;
    REQUIRE(make_directories(at.substr(0, at.rfind('/'))));
    REQUIRE(write_file(at, text));
  }
  void take(const std::string& path) { std::filesystem::remove_all(directory.path() + path); }
  // Everything that is not well.
  std::vector<Check> ill() const {
    auto out = cli::examine(facts);
    std::erase_if(out, [](const Check& check) { return check.finding == Finding::ok; });
    return out;
  }
  // The one finding that a change has made.
  Check only() const {
    const auto found = ill();
    REQUIRE_MESSAGE(found.size() == 1, found.size());
    CHECK_FALSE(found[0].disables.empty());
    CHECK_FALSE(found[0].remedy.empty());
    return found[0];
  }
  std::string text() const {
    const auto check = only();
    return check.name + ": " + check.found;
  }
};

}  // namespace

TEST_CASE("doctor: a whole machine lacks nothing, and what is well says what it is") {
  const Machine machine;
  CHECK(machine.ill().empty());
  const auto all = cli::examine(machine.facts);
  CHECK(all.size() > 30);
  CHECK(std::all_of(all.begin(), all.end(), [](const Check& check) { return !check.name.empty() && !check.found.empty() && check.disables.empty(); }));
}

TEST_CASE("doctor: cgroups that are hybrid, incomplete, read-only, not there or not delegated") {
  {
    Machine machine;
    machine.put("/proc/self/mountinfo", "30 22 0:26 / /sys/fs/cgroup ro - tmpfs tmpfs ro\n31 30 0:27 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n");
    CHECK(machine.text() == "cgroup.version: 1 or hybrid");
    CHECK(machine.only().finding == Finding::missing);
    CHECK(machine.only().remedy.find("systemd.unified_cgroup_hierarchy=1") != std::string::npos);
    machine.put("/proc/self/mountinfo", "");
    CHECK(machine.text() == "cgroup.version: none mounted");
  }
  Machine machine;
  machine.put("/sys/fs/cgroup/cgroup.controllers", "cpu io pids\n");
  CHECK(machine.text() == "cgroup.controllers: without cpuset, memory");
  CHECK(machine.only().remedy.find("cgroup_enable=memory") != std::string::npos);
  machine.put("/sys/fs/cgroup/cgroup.controllers", "cpuset cpu io memory pids\n");
  machine.put("/proc/self/mountinfo", "30 22 0:26 / /sys/fs/cgroup ro,nosuid - cgroup2 cgroup2 ro\n");
  CHECK(machine.text() == "cgroup.writable: read-only");
  machine.put("/proc/self/mountinfo", "30 22 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n");
  machine.facts.delegated = false;
  CHECK(machine.text() == "cgroup.delegation: drover.service is not delegated");
  CHECK(machine.only().finding == Finding::optional);
  machine.facts.delegated.reset();
  CHECK(machine.ill().empty());
}

TEST_CASE("doctor: privileges") {
  Machine machine;
  machine.facts.capabilities &= ~(std::uint64_t{1} << 24 | std::uint64_t{1} << 12);
  CHECK(machine.text() == "capabilities: without NET_ADMIN, SYS_RESOURCE");
  CHECK(machine.only().disables == "networks of tasks, raising limits and protection from the OOM killer");
  machine.facts.root = false;
  machine.facts.capabilities = 0;
  CHECK(machine.text() == "user: not root");
}

TEST_CASE("doctor: system calls an old kernel lacks or a filter denies") {
  Machine machine;
  machine.facts.system_calls["mount_setattr"] = ENOSYS;
  CHECK(machine.text() == "syscall.mount_setattr: not there");
  CHECK(machine.only().remedy.find("from 5.12 on (this is 6.1.0-test)") != std::string::npos);
  machine.facts.system_calls["mount_setattr"] = EPERM;
  CHECK(machine.text() == "syscall.mount_setattr: denied (EPERM), by a seccomp filter or a security module");
  CHECK(machine.only().finding == Finding::missing);
}

TEST_CASE("doctor: pieces of the kernel that are not there, or only to be loaded") {
  Machine machine;
  machine.put("/proc/filesystems", "nodev\tproc\nnodev\tmqueue\n\text4\nnodev\toverlayfs\n");
  CHECK(machine.text() == "overlay: not there");
  machine.put("/lib/modules/6.1.0-test/modules.dep", "kernel/fs/overlayfs/overlay.ko:\n");
  CHECK(machine.ill().empty());
  machine.take("/sys/module/veth");
  CHECK(machine.text() == "bridge: no veth module");
  machine.put("/lib/modules/6.1.0-test/modules.builtin", "kernel/drivers/net/veth.ko\n");
  CHECK(machine.ill().empty());
  machine.take("/proc/self/ns/ipc");
  CHECK(machine.text() == "namespaces: without ipc");
  machine.put("/proc/self/ns/ipc", "");
  machine.facts.host.landlock_abi = 0;
  CHECK(machine.text() == "landlock: off");
  machine.facts.host.landlock_abi = 1;
  machine.take("/proc/sys/kernel/seccomp");
  CHECK(machine.text() == "seccomp: not there");
}

TEST_CASE("doctor: programs, each with the package that brings it") {
  for (const auto& [path, name, package] : {std::tuple{"/usr/bin/java", "java: not in PATH", "default-jre-headless"},
                                            {"/usr/bin/qemu-system-x86_64", "qemu-system-x86_64: not in PATH", "qemu-system-x86"},
                                            {"/usr/bin/git", "git: not in PATH", "git"},
                                            {"/usr/sbin/iptables", "iptables: not in PATH", "iptables"},
                                            {"/run/docker.sock", "docker: no docker.sock", "docker.io"},
                                            {"/opt/cni/bin/bridge", "cni: no plugins in /opt/cni/bin or /usr/lib/cni", "containernetworking-plugins"},
                                            {"/usr/libexec/drover/plugins/drover-driver-qemu", "driver.qemu: not at /usr/libexec/drover/plugins/drover-driver-qemu", "package"}}) {
    Machine machine;
    machine.take(path);
    CHECK(machine.text() == name);
    CHECK(machine.only().finding == Finding::optional);
    CHECK(machine.only().remedy.find(package) != std::string::npos);
  }
  Machine machine;
  machine.take("/usr/libexec/drover/drover-executor");
  CHECK(machine.text() == "drover-executor: not at /usr/libexec/drover/drover-executor");
  CHECK(machine.only().finding == Finding::missing);
  // A relative entry of PATH is not where the agent would look.
  machine.put("/usr/libexec/drover/drover-executor", "x");
  machine.take("/usr/bin/java");
  machine.put("/bin/java", "x");
  machine.facts.path = "bin:/usr/bin:/usr/sbin";
  CHECK(machine.text() == "java: not in PATH");
}

TEST_CASE("doctor: settings of the network and of limits") {
  Machine machine;
  machine.put("/proc/sys/net/ipv4/ip_local_port_range", "1024\t65535\n");
  CHECK(machine.text() == "ports: the kernel gives out 1024 to 65535");
  machine.put("/proc/sys/net/ipv4/ip_local_port_range", "10000 19999\n");
  CHECK(machine.ill().empty());
  machine.put("/proc/sys/net/ipv4/ip_forward", "0\n");
  CHECK(machine.text() == "ip_forward: off");
  machine.put("/proc/sys/net/ipv4/ip_forward", "1\n");
  machine.put("/proc/sys/net/bridge/bridge-nf-call-iptables", "0\n");
  CHECK(machine.text() == "bridge.filter: off");
  machine.take("/proc/sys/net/bridge");
  CHECK(machine.text() == "bridge.filter: br_netfilter is not loaded");
  machine.put("/proc/sys/net/bridge/bridge-nf-call-iptables", "1\n");
  machine.facts.open_files = 1024;
  CHECK(machine.text() == "limit.files: 1024");
  machine.facts.open_files = ~std::uint64_t{0};
  machine.put("/proc/sys/kernel/pid_max", "32768\n");
  CHECK(machine.text() == "kernel.pid_max: 32768");
  machine.put("/proc/sys/kernel/pid_max", "65536\n");
  machine.put("/proc/sys/user/max_pid_namespaces", "0\n");
  CHECK(machine.text() == "user.max_pid_namespaces: 0");
}

TEST_CASE("doctor: the disk of the data directory is that of the longest mount point above it") {
  Machine machine;
  machine.put("/proc/self/mounts", "/dev/vda / ext4 rw 0 0\n/dev/vdb /var ext4 rw,noexec 0 0\n/dev/vdc /var/lib/drover-other xfs rw 0 0\n");
  CHECK(machine.text() == "data_dir.exec: /var/lib/drover on /var (ext4, noexec)");
  CHECK(machine.only().remedy == "mount -o remount,exec /var");
  machine.put("/proc/self/mounts", "/dev/vda / ext4 rw 0 0\nserver:/x /var/lib nfs4 rw 0 0\n");
  CHECK(machine.text() == "data_dir.overlay: nfs4");
  machine.put("/proc/self/mounts", "/dev/vda / ext4 rw 0 0\n");
  machine.facts.host.disk_free_bytes = 1 << 20;
  CHECK(machine.text() == "data_dir.free: 0.0 GiB free");
  CHECK(machine.only().finding == Finding::missing);
}

TEST_CASE("doctor: this machine is examined without a wrong guess about its system calls") {
  const auto facts = cli::read_doctor_facts("/var/lib/drover");
  CHECK(facts.system_calls.size() == 5);
  for (const auto& [name, error] : facts.system_calls) CHECK_MESSAGE(error == 0, name);
  CHECK(facts.open_files > 0);
  CHECK(!cli::examine(facts).empty());
}
