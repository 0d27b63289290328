#include "cli/agent/doctor_checks.h"

#include <algorithm>
#include <charconv>

#include "sdk/base/file.h"
#include "sdk/base/text.h"

namespace drover::cli {
namespace {

// The last words of a driver's own texts are not repeated here: its fingerprint says why it is unhealthy, this says what to do.
class Examination {
 public:
  explicit Examination(const DoctorFacts& facts) : facts_(facts), host_(facts.host) {}

  std::vector<Check> run() {
    privileges();
    cgroups();
    kernel();
    programs();
    network();
    limits();
    storage();
    return std::move(out_);
  }

 private:
  void judge(bool well, Finding otherwise, std::string name, std::string found, std::string disables, std::string remedy) {
    if (well) out_.push_back({std::move(name), Finding::ok, std::move(found), {}, {}});
    else out_.push_back({std::move(name), otherwise, std::move(found), std::move(disables), std::move(remedy)});
  }
  void require(bool well, std::string name, std::string found, std::string disables, std::string remedy) {
    judge(well, Finding::missing, std::move(name), std::move(found), std::move(disables), std::move(remedy));
  }
  void wish(bool well, std::string name, std::string found, std::string disables, std::string remedy) {
    judge(well, Finding::optional, std::move(name), std::move(found), std::move(disables), std::move(remedy));
  }

  // -- Privileges ------------------------------------------------------------------------------------------------------

  void privileges() {
    require(facts_.root, "user", facts_.root ? "root" : "not root", "exec and java; other users for raw_exec tasks; limits of every task",
            "start the agent as root, as the unit drover.service does");
    if (!facts_.root) return;
    struct Capability {
      int bit;
      const char* name;
      const char* use;
    };
    static constexpr Capability needed[] = {{0, "CHOWN", "files of other users"}, {1, "DAC_OVERRIDE", "files of other users"}, {3, "FOWNER", "files of other users"},
                                            {5, "KILL", "stopping tasks"}, {6, "SETGID", "users of tasks"}, {7, "SETUID", "users of tasks"},
                                            {8, "SETPCAP", "capabilities of tasks"}, {12, "NET_ADMIN", "networks of tasks"}, {18, "SYS_CHROOT", "exec and java"},
                                            {19, "SYS_PTRACE", "sessions in tasks"}, {21, "SYS_ADMIN", "exec and java"},
                                            {24, "SYS_RESOURCE", "raising limits and protection from the OOM killer"}, {27, "MKNOD", "exec and java"}};
    std::vector<std::string> lacking, uses;
    for (const auto& [bit, name, use] : needed) {
      if ((facts_.capabilities >> bit & 1) != 0) continue;
      lacking.emplace_back(name);
      if (std::find(uses.begin(), uses.end(), use) == uses.end()) uses.emplace_back(use);
    }
    require(lacking.empty(), "capabilities", lacking.empty() ? "all that are needed" : "without " + join(lacking, ", "),
            join(uses, ", "),
            "run the agent on the host; of a container, add them with --cap-add, or use --privileged");
  }

  // -- cgroups ---------------------------------------------------------------------------------------------------------

  // The file system type and the options of a mount point; empty when nothing is mounted there.
  std::pair<std::string, std::string> mount_at(const std::string& point) const {
    std::pair<std::string, std::string> out;
    for (const auto& line : split(host_.read("/proc/self/mountinfo"), '\n')) {
      const auto fields = split(line, ' ');
      const auto dash = std::find(fields.begin(), fields.end(), "-");
      if (fields.size() > 5 && fields[4] == point && dash != fields.end() && dash + 1 != fields.end()) out = {*(dash + 1), fields[5]};
    }
    return out;
  }
  static bool has_word(const std::string& list, char separator, std::string_view word) {
    const auto words = split(list, separator);
    return std::find(words.begin(), words.end(), word) != words.end();
  }

  void cgroups() {
    const auto [type, options] = mount_at("/sys/fs/cgroup");
    const bool unified = type == "cgroup2";
    require(unified, "cgroup.version", unified ? "2" : type.empty() ? "none mounted" : "1 or hybrid",
            "exec and java (unhealthy unless allow_degraded), limits and exact stopping of raw_exec and qemu tasks",
            type.empty() ? "mount -t cgroup2 none /sys/fs/cgroup" : "boot with systemd.unified_cgroup_hierarchy=1, or with cgroup_no_v1=all");
    if (!unified) return;
    std::vector<std::string> missing;
    const std::string controllers = host_.read("/sys/fs/cgroup/cgroup.controllers");
    for (const char* wanted : {"cpuset", "cpu", "io", "memory", "pids"}) {
      if (!has_word(controllers, ' ', wanted)) missing.emplace_back(wanted);
    }
    std::string enable = "boot a kernel that has them";
    if (has_word(join(missing, " "), ' ', "memory")) enable += " (memory: cgroup_enable=memory)";
    enable += "; in a container, have its manager delegate them";
    require(missing.empty(), "cgroup.controllers", missing.empty() ? "cpuset, cpu, io, memory, pids" : "without " + join(missing, ", "),
            "exec and java, and the limits these controllers keep", enable);
    const bool writable = !has_word(options, ',', "ro");
    require(writable, "cgroup.writable", writable ? "yes" : "read-only", "exec and java, limits of every task",
            "mount -o remount,rw /sys/fs/cgroup; of a container, start it with --cgroupns=host or privileged");
    if (facts_.delegated) {
      wish(*facts_.delegated, "cgroup.delegation", *facts_.delegated ? "drover.service has Delegate=yes" : "drover.service is not delegated",
           "nothing in the compatible layout; systemd may rewrite limits in the delegated one",
           "systemctl edit drover.service: [Service] Delegate=yes; then systemctl restart drover");
    }
  }

  // -- The kernel ------------------------------------------------------------------------------------------------------

  // Loaded, built in, or there to be loaded.
  bool has_module(const std::string& name) const {
    if (host_.exists("/sys/module/" + name)) return true;
    for (const char* list : {"/modules.builtin", "/modules.dep"}) {
      const auto text = read_file(host_.root + "/lib/modules/" + host_.kernel_release + list, 16U << 20);
      if (text && (text->find("/" + name + ".ko") != std::string::npos)) return true;
    }
    return false;
  }
  bool has_filesystem(const std::string& name) const {
    for (const auto& line : split(host_.read("/proc/filesystems"), '\n')) {
      if (trim(line.substr(std::min(line.find('\t'), line.size()))) == name) return true;
    }
    return has_module(name);
  }

  void kernel() {
    struct Call {
      const char* name;
      const char* since;
      const char* disables;
    };
    static constexpr Call calls[] = {{"clone3", "5.3", "every task: the executor starts them with it"},
                                     {"pidfd_open", "5.3", "every task and plugin: they are held by it"},
                                     {"openat2", "5.6", "files of allocations and exec tasks: paths are resolved by it"},
                                     {"close_range", "5.9", "every task: descriptors are closed by it"},
                                     {"mount_setattr", "5.12", "exec and java: read-only roots"}};
    for (const auto& [name, since, disables] : calls) {
      const auto at = facts_.system_calls.find(name);
      if (at == facts_.system_calls.end()) continue;
      const bool well = at->second == 0;
      // ENOSYS is an old kernel, or an old container runtime that answers so; EPERM a filter.
      require(well, fmt::format("syscall.{}", name), well ? "works" : at->second == 1 ? "denied (EPERM), by a seccomp filter or a security module" : "not there",
              disables, fmt::format("a kernel from {} on (this is {}); in a container, a seccomp profile that allows {}", since, host_.kernel_release, name));
    }
    std::vector<std::string> missing;
    for (const char* name : {"mnt", "pid", "ipc", "net", "uts"}) {
      if (!host_.exists(std::string("/proc/self/ns/") + name)) missing.emplace_back(name);
    }
    require(missing.empty(), "namespaces", missing.empty() ? "mnt, pid, ipc, net, uts" : "without " + join(missing, ", "), "exec and java",
            "a kernel with CONFIG_NAMESPACES, CONFIG_PID_NS, CONFIG_IPC_NS, CONFIG_NET_NS and CONFIG_UTS_NS");
    const bool overlay = has_filesystem("overlay");
    require(overlay, "overlay", overlay ? "there" : "not there", "exec and java with files of the task below /etc or as root",
            "modprobe overlay; for each boot: echo overlay >/etc/modules-load.d/drover.conf");
    const bool mqueue = has_filesystem("mqueue");
    require(mqueue, "mqueue", mqueue ? "there" : "not there", "exec and java", "a kernel with CONFIG_POSIX_MQUEUE");
    const bool seccomp = host_.exists("/proc/sys/kernel/seccomp/actions_avail");
    wish(seccomp, "seccomp", seccomp ? "there" : "not there", "seccomp profiles of tasks", "a kernel with CONFIG_SECCOMP_FILTER");
    const bool landlock = host_.landlock_abi > 0;
    wish(landlock, "landlock", landlock ? fmt::format("version {}", host_.landlock_abi) : "off", "confining tasks to paths",
         "a kernel from 5.13 on with CONFIG_SECURITY_LANDLOCK, and landlock in the boot parameter lsm=");
  }

  // -- Programs --------------------------------------------------------------------------------------------------------

  std::string find(const std::string& name) const {
    for (const auto& directory : split(facts_.path, ':')) {
      if (directory.starts_with('/') && host_.exists(directory + "/" + name)) return directory + "/" + name;
    }
    return {};
  }
  void program(const std::string& name, const char* disables, const char* package) {
    const std::string at = find(name);
    wish(!at.empty(), name, at.empty() ? "not in PATH" : at, disables, fmt::format("apt-get install {}", package));
  }

  void programs() {
    const std::string executor = facts_.libexec.substr(0, facts_.libexec.rfind('/')) + "/drover-executor";
    require(host_.exists(executor), "drover-executor", host_.exists(executor) ? executor : "not at " + executor, "exec, raw_exec, java and qemu",
            "install the whole package, or set DROVER_LIBEXEC to where the plugins are");
    for (const char* driver : {"raw-exec", "exec", "java", "qemu"}) {
      const std::string file = fmt::format("{}/drover-driver-{}", facts_.libexec, driver);
      wish(host_.exists(file), fmt::format("driver.{}", driver), host_.exists(file) ? file : "not at " + file, fmt::format("tasks of {}", replace_all(driver, "-", "_")),
           "install the whole package, or set DROVER_LIBEXEC to where the plugins are");
    }
    program("java", "java tasks", "default-jre-headless");
    program("qemu-system-x86_64", "qemu tasks with the default emulator", "qemu-system-x86");
    const bool docker = host_.exists("/var/run/docker.sock") || host_.exists("/run/docker.sock");
    wish(docker, "docker", docker ? "listens" : "no docker.sock", "docker tasks", "apt-get install docker.io && systemctl enable --now docker");
    program("git", "artifacts from git", "git");
    const bool systemd = host_.exists("/run/systemd/system");
    wish(systemd, "systemd", systemd ? "is running" : "is not running", "the unit drover.service and the delegated layout of cgroups",
         "boot with systemd as process 1, or start the agent by another supervisor");
  }

  // -- Networks of tasks -----------------------------------------------------------------------------------------------

  void network() {
    const bool bridge = has_module("bridge"), veth = has_module("veth");
    wish(bridge && veth, "bridge", bridge && veth ? "there" : !bridge ? "no bridge module" : "no veth module", "network mode \"bridge\"",
         "modprobe bridge && modprobe veth; for each boot: printf 'bridge\\nveth\\nbr_netfilter\\n' >/etc/modules-load.d/drover-net.conf");
    program("iptables", "network mode \"bridge\" and ports mapped into it", "iptables");
    std::string cni;
    for (const char* place : {"/opt/cni/bin", "/usr/lib/cni", "/usr/libexec/cni"}) {
      if (cni.empty() && host_.exists(std::string(place) + "/bridge")) cni = place;
    }
    wish(!cni.empty(), "cni", cni.empty() ? "no plugins in /opt/cni/bin or /usr/lib/cni" : cni, "network modes \"bridge\" and \"cni/...\"",
         "apt-get install containernetworking-plugins, and cni_path = \"/usr/lib/cni\" in the client block");
    const std::string filter = host_.read("/proc/sys/net/bridge/bridge-nf-call-iptables");
    wish(filter == "1", "bridge.filter", filter.empty() ? "br_netfilter is not loaded" : filter == "1" ? "on" : "off", "firewall rules between tasks on one bridge",
         "modprobe br_netfilter && sysctl -w net.bridge.bridge-nf-call-iptables=1");
    const std::string forward = host_.read("/proc/sys/net/ipv4/ip_forward");
    wish(forward == "1", "ip_forward", forward == "1" ? "on" : "off", "traffic of bridged tasks to other hosts", "sysctl -w net.ipv4.ip_forward=1");
    ports();
  }

  // Ports that the kernel gives to clients by chance must not be those the scheduler gives to tasks.
  void ports() {
    constexpr long first_dynamic = 20000, last_dynamic = 32000;
    const auto words = split(replace_all(host_.read("/proc/sys/net/ipv4/ip_local_port_range"), "\t", " "), ' ');
    if (words.size() < 2) return;
    const long low = number(words.front()), high = number(words.back());
    const bool apart = high < first_dynamic || low > last_dynamic;
    wish(apart, "ports", fmt::format("the kernel gives out {} to {}", low, high),
         fmt::format("dynamic ports {} to {}, now and then: one may be in use by a client of some server", first_dynamic, last_dynamic),
         "sysctl -w net.ipv4.ip_local_port_range='32768 60999', or min_dynamic_port and max_dynamic_port in the client block");
  }

  static long number(std::string_view text) {
    long out = 0;
    std::from_chars(text.data(), text.data() + text.size(), out);
    return out;
  }

  // -- Limits and storage ----------------------------------------------------------------------------------------------

  void limits() {
    constexpr std::uint64_t wanted_files = 65536;
    wish(facts_.open_files >= wanted_files, "limit.files", facts_.open_files == ~std::uint64_t{0} ? "unlimited" : std::to_string(facts_.open_files),
         "more than a few thousand tasks and connections", "LimitNOFILE=65536 in the unit, or ulimit -Hn 65536 before the agent");
    sysctl("kernel/pid_max", 65536, "thousands of tasks at once", "sysctl -w kernel.pid_max=4194304");
    sysctl("kernel/threads-max", 32768, "thousands of tasks at once", "sysctl -w kernel.threads-max=262144");
    sysctl("user/max_mnt_namespaces", 1024, "as many exec and java tasks", "sysctl -w user.max_mnt_namespaces=65536");
    sysctl("user/max_pid_namespaces", 1024, "as many exec and java tasks", "sysctl -w user.max_pid_namespaces=65536");
  }
  void sysctl(const std::string& name, long wanted, const char* disables, const char* remedy) {
    const std::string value = host_.read("/proc/sys/" + name);
    if (value.empty()) return;
    wish(number(value) >= wanted, replace_all(name, "/", "."), value, disables, remedy);
  }

  void storage() {
    // The mount with the longest matching path holds the directory.
    std::string point, type, options;
    for (const auto& line : split(host_.read("/proc/self/mounts"), '\n')) {
      const auto fields = split(line, ' ');
      if (fields.size() < 4) continue;
      const bool covers = fields[1] == "/" || facts_.data_dir == fields[1] || facts_.data_dir.starts_with(fields[1] + "/");
      if (covers && fields[1].size() >= point.size()) point = fields[1], type = fields[2], options = fields[3];
    }
    if (point.empty()) return;
    const bool executable = !has_word(options, ',', "noexec");
    require(executable, "data_dir.exec", fmt::format("{} on {} ({}{})", facts_.data_dir, point, type, executable ? "" : ", noexec"),
            "programs that a job brings into its task's directory", fmt::format("mount -o remount,exec {}", point));
    const bool layers = type != "overlay" && type != "nfs" && type != "nfs4" && type != "fuse" && type != "vfat" && type != "9p";
    wish(layers, "data_dir.overlay", type, "overlays of exec and java tasks: their files are copied or refused instead",
         "put data_dir on ext4, xfs or btrfs");
    constexpr std::uint64_t gib = std::uint64_t{1} << 30;
    require(host_.disk_free_bytes >= gib, "data_dir.free", fmt::format("{:.1f} GiB free", static_cast<double>(host_.disk_free_bytes) / static_cast<double>(gib)),
            "allocations, logs and the servers' state", fmt::format("make room on {}, or set data_dir to a larger disk", point));
  }

  const DoctorFacts& facts_;
  const agent::Host& host_;
  std::vector<Check> out_;
};

}  // namespace

std::vector<Check> examine(const DoctorFacts& facts) { return Examination(facts).run(); }

}  // namespace drover::cli
