#include "plugins/shared/device_program.h"

#include <fcntl.h>
#include <linux/bpf.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "sdk/base/file.h"

namespace drover {
namespace {

constexpr std::size_t max_loaded = 64;

static_assert(int{DeviceRule::make} == BPF_DEVCG_ACC_MKNOD && int{DeviceRule::read} == BPF_DEVCG_ACC_READ && int{DeviceRule::write} == BPF_DEVCG_ACC_WRITE);

// Registers: 2 access, 3 kind, 4 major, 5 minor, 6 scratch.
bpf_insn load(int to, int offset) { return {.code = BPF_LDX | BPF_MEM | BPF_W, .dst_reg = static_cast<__u8>(to & 15), .src_reg = 1, .off = static_cast<__s16>(offset), .imm = 0}; }
bpf_insn with_number(int operation, int to, int number) { return {.code = static_cast<__u8>(operation), .dst_reg = static_cast<__u8>(to & 15), .src_reg = 0, .off = 0, .imm = number}; }
bpf_insn copy(int to, int from) { return {.code = BPF_ALU64 | BPF_MOV | BPF_X, .dst_reg = static_cast<__u8>(to & 15), .src_reg = static_cast<__u8>(from & 15), .off = 0, .imm = 0}; }

void add_rule(std::vector<bpf_insn>& out, const DeviceRule& rule) {
  std::vector<bpf_insn> body;
  std::vector<std::size_t> jumps;
  const auto unless = [&](int left, int value) {
    jumps.push_back(body.size());
    body.push_back(with_number(BPF_JMP | BPF_JNE | BPF_K, left, value));
  };
  if (rule.kind != DeviceRule::Kind::any) unless(3, rule.kind == DeviceRule::Kind::block ? BPF_DEVCG_DEV_BLOCK : BPF_DEVCG_DEV_CHAR);
  if (rule.access != DeviceRule::all) {
    body.push_back(copy(6, 2));
    body.push_back(with_number(BPF_ALU64 | BPF_AND | BPF_K, 6, ~rule.access & DeviceRule::all));
    unless(6, 0);
  }
  if (rule.major != DeviceRule::any_number) unless(4, rule.major);
  if (rule.minor != DeviceRule::any_number) unless(5, rule.minor);
  body.push_back(with_number(BPF_ALU64 | BPF_MOV | BPF_K, 0, 1));
  body.push_back(with_number(BPF_JMP | BPF_EXIT, 0, 0));
  for (const std::size_t at : jumps) body[at].off = static_cast<__s16>(body.size() - at - 1);
  out.insert(out.end(), body.begin(), body.end());
}

long bpf(int command, bpf_attr& attributes) { return ::syscall(SYS_bpf, command, &attributes, sizeof attributes); }

}  // namespace

std::vector<DeviceRule> default_device_rules() {
  using Kind = DeviceRule::Kind;
  std::vector<DeviceRule> out{{Kind::any, DeviceRule::any_number, DeviceRule::any_number, DeviceRule::make}};
  struct Numbers { int major, minor; };
  for (const Numbers node : {Numbers{1, 3}, {1, 5}, {1, 7}, {1, 8}, {1, 9}, {5, 0}, {5, 2}, {136, DeviceRule::any_number}, {10, 200}}) {
    out.push_back({Kind::character, node.major, node.minor, DeviceRule::all});
  }
  return out;
}

Result<DeviceRule> device_rule(const std::string& host_path, std::string_view permissions) {
  struct stat info {};
  if (::stat(host_path.c_str(), &info) != 0) return fail_errno("device \"{}\"", host_path);
  if (!S_ISCHR(info.st_mode) && !S_ISBLK(info.st_mode)) return fail(Code::invalid_argument, "device \"{}\" is not a device", host_path);
  DeviceRule out{S_ISBLK(info.st_mode) ? DeviceRule::Kind::block : DeviceRule::Kind::character, static_cast<int>(major(info.st_rdev)),
                 static_cast<int>(minor(info.st_rdev)), 0};
  for (const char c : permissions.empty() ? "rwm" : permissions) {
    if (c != 'r' && c != 'w' && c != 'm') return fail(Code::invalid_argument, "permissions \"{}\" of device \"{}\" are not of r, w and m", permissions, host_path);
    const std::uint8_t bit = c == 'r' ? DeviceRule::read : c == 'w' ? DeviceRule::write : DeviceRule::make;
    out.access = static_cast<std::uint8_t>(out.access | bit);
  }
  return out;
}

std::string device_program(const std::vector<DeviceRule>& rules) {
  std::vector<bpf_insn> out{load(2, offsetof(bpf_cgroup_dev_ctx, access_type)), copy(3, 2), with_number(BPF_ALU64 | BPF_AND | BPF_K, 3, 0xffff),
                            with_number(BPF_ALU64 | BPF_RSH | BPF_K, 2, 16), load(4, offsetof(bpf_cgroup_dev_ctx, major)),
                            load(5, offsetof(bpf_cgroup_dev_ctx, minor))};
  for (const auto& rule : rules) add_rule(out, rule);
  out.push_back(with_number(BPF_ALU64 | BPF_MOV | BPF_K, 0, 0));
  out.push_back(with_number(BPF_JMP | BPF_EXIT, 0, 0));
  return std::string(reinterpret_cast<const char*>(out.data()), out.size() * sizeof(bpf_insn));
}

Result<> DevicePrograms::attach(const std::string& cgroup, const std::vector<DeviceRule>& rules) {
  auto directory = open_file(cgroup, O_RDONLY | O_DIRECTORY);
  if (!directory) return fail(directory.error());
  const std::string instructions = device_program(rules);
  auto program = loaded_.find(instructions);
  if (program == loaded_.end()) {
    bpf_attr attributes{};
    attributes.prog_type = BPF_PROG_TYPE_CGROUP_DEVICE;
    attributes.insns = reinterpret_cast<std::uint64_t>(instructions.data());
    attributes.insn_cnt = static_cast<std::uint32_t>(instructions.size() / sizeof(bpf_insn));
    attributes.license = reinterpret_cast<std::uint64_t>("Apache-2.0");
    Fd made(static_cast<int>(bpf(BPF_PROG_LOAD, attributes)));
    if (!made) return fail_errno("loading the device program of cgroup \"{}\"", cgroup);
    if (loaded_.size() >= max_loaded) loaded_.clear();
    program = loaded_.emplace(instructions, std::move(made)).first;
  }
  bpf_attr attributes{};
  attributes.target_fd = static_cast<std::uint32_t>(directory->get());
  attributes.attach_bpf_fd = static_cast<std::uint32_t>(program->second.get());
  attributes.attach_type = BPF_CGROUP_DEVICE;
  // Beside what a service manager attached above.
  attributes.attach_flags = BPF_F_ALLOW_MULTI;
  if (bpf(BPF_PROG_ATTACH, attributes) != 0) return fail_errno("attaching the device program to cgroup \"{}\"", cgroup);
  return {};
}

}  // namespace drover
