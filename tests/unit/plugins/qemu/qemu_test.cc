#include <sys/stat.h>
#include <sys/un.h>
#include <sys/socket.h>
#include <unistd.h>

#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/streambuf.hpp>
#include <boost/asio/write.hpp>

#include "plugins/qemu/driver.h"
#include "plugins/qemu/image.h"
#include "plugins/qemu/monitor.h"
#include "sdk/base/text.h"
#include "tests/unit/plugins/support.h"

using namespace drover;
using namespace drover::testing;
using namespace std::chrono_literals;
using namespace std::string_literals;
using nlohmann::json;

namespace {

Result<qemu::TaskOptions> decode(const json& options, const qemu::Config& config = {}) { return qemu::decode_task(plugin::to_msgpack(options), config); }
std::string refusal(const json& options, const qemu::Config& config = {}) {
  const auto out = decode(options, config);
  return out ? "" : out.error().message();
}

driver::TaskConfig machine(std::int64_t memory_mb = 256) {
  driver::TaskConfig out;
  out.resources.emplace();
  out.resources->memory_mb = memory_mb;
  out.resources->ports = {{.label = "ssh", .value = 22000, .to = 0, .host_ip = {}}, {.label = "web", .value = 8080, .to = 80, .host_ip = {}}};
  return out;
}

std::string line(const json& options, const driver::TaskConfig& task, const std::string& image = "/a/t/disk.img") {
  const auto decoded = decode(options);
  REQUIRE_MESSAGE(decoded, (decoded ? "" : decoded.error().message()));
  const auto out = qemu::command_line(*decoded, task, image);
  return out ? join(*out, " ") : out.error().message();
}

// An allocation's directory with a task "web", and a place of the operator's.
struct Disks {
  TempDir directory = *TempDir::make();
  std::string alloc = directory.path() + "/alloc", task = alloc + "/web", images = directory.path() + "/images", host = directory.path() + "/host";
  qemu::ImageRules rules{alloc, task, {images}};

  Disks() {
    for (const auto& path : {task + "/local", images + "/sub", host}) REQUIRE(make_directories(path));
    for (const auto& path : {task + "/local/disk.img", images + "/sub/base.img", host + "/secret"}) REQUIRE(write_file(path, std::string(4096, 'x')));
  }
  std::string check(const std::string& image) const {
    const auto out = qemu::check_image(rules, image);
    return out ? *out : out.error().message();
  }
};

std::string qcow2(const std::string& backing, bool external_data = false) {
  std::string out(512, '\0');
  out.replace(0, 4, "QFI\xfb"s);
  out[7] = 3;
  if (external_data) out[79] = 4;
  if (!backing.empty()) {
    out[14] = 1;  // offset 256
    out[19] = static_cast<char>(backing.size());
    out.replace(256, backing.size(), backing);
  }
  return out;
}

}  // namespace

TEST_CASE("qemu: the command line of a machine, plain and with everything") {
  CHECK(line({{"image_path", "disk.img"}}, machine()) ==
        "-machine type=pc,accel=tcg -name disk.img -m 256M -drive file=/a/t/disk.img,if=ide,id=image0 -nographic");
  auto task = machine(1024);
  task.dns = driver::DnsConfig{{"10.0.0.1", "10.0.0.2"}, {"a.example", "b.example"}, {}};
  CHECK(line({{"image_path", "disk.img"}, {"machine_type", "q35"}, {"drive_interface", "virtio"}, {"graceful_shutdown", true}, {"guest_agent", true},
              {"args", {"-nodefaults", "-smp", "2"}}, {"port_map", {{{"ssh", 22}}, {{"web", 80}}}}}, task) ==
        "-machine type=q35,accel=tcg -name disk.img -m 1024M -drive file=/a/t/disk.img,if=virtio,id=image0 -nographic "
        "-monitor unix:qm.sock,server=on,wait=off -chardev socket,path=qa.sock,server=on,wait=off,id=qga0 -device virtio-serial "
        "-device virtserialport,chardev=qga0,name=org.qemu.guest_agent.0 -nodefaults -smp 2 "
        "-netdev user,id=user.0,dns=10.0.0.1,dnssearch=a.example,dnssearch=b.example,hostfwd=udp::22000-:22,hostfwd=tcp::22000-:22,"
        "hostfwd=udp::8080-:80,hostfwd=tcp::8080-:80 -device virtio-net,netdev=user.0");
  task = machine();
  task.resources->linux_resources.cpuset_cpus = "2,3,5";
  CHECK(line({{"image_path", "x"}, {"accelerator", "kvm"}}, task).ends_with("-nographic -enable-kvm -cpu host -smp 3"));
  CHECK(line({{"image_path", "x"}, {"accelerator", "kvm"}}, machine()).ends_with("-enable-kvm -cpu host"));
}

TEST_CASE("qemu: what a machine cannot be given is said") {
  CHECK(line({{"image_path", "x"}}, machine(127)) == "QEMU memory assignment out of bounds");
  CHECK(line({{"image_path", "x"}}, machine(4'000'001)) == "QEMU memory assignment out of bounds");
  CHECK(line({{"image_path", "x"}}, {}) == "QEMU memory assignment out of bounds");
  CHECK(line({{"image_path", "x"}, {"port_map", {{"db", 5432}}}}, machine()) == "Unknown port label \"db\"");
  CHECK(refusal(json::object()) == "image_path must be set");
  CHECK(refusal({{"image_path", "x"}, {"drive_interface", "nvme"}}) == "Unsupported drive_interface");
  CHECK(refusal({{"image_path", "x"}, {"port_map", {{"ssh", 70000}}}}) == "port_map: ssh = 70000 is not a port of the guest; use 1 to 65535");
  CHECK(refusal({{"image_path", "x"}, {"machine_type", "pc,firmware=/etc/shadow"}}) == "machine_type \"pc,firmware=/etc/shadow\" is not the name of a machine");
  CHECK(refusal({{"image_path", "x"}, {"accelerator", "tcg,x=y"}}) == "accelerator \"tcg,x=y\" is not the name of an accelerator");
  CHECK(refusal({{"image_path", "x"}, {"accelerator", "kvm:tcg"}}).empty());
}

TEST_CASE("qemu: ports of a host that knows only the task's own network") {
  auto task = machine();
  task.resources->ports.clear();
  task.resources->networks.push_back({});
  task.resources->networks[0].reserved_ports = {{.label = "ssh", .value = 22001, .to = 0, .host_ip = {}}};
  CHECK(line({{"image_path", "x"}, {"port_map", {{"ssh", 22}}}}, task).find("hostfwd=tcp::22001-:22") != std::string::npos);
}

TEST_CASE("qemu: N-021 arguments reach nothing of the host unless the operator lists them") {
  const auto checked = [](const std::vector<std::string>& allowlist, const std::vector<std::string>& args) {
    const auto out = qemu::check_arguments(allowlist, args);
    return out ? "" : out.error().message();
  };
  CHECK(checked({}, {"-nodefaults", "-cpu", "max", "-smp", "2"}).empty());
  for (const char* option : {"-drive", "-monitor", "-chardev", "-netdev", "-device", "-fsdev", "-virtfs", "-kernel", "-hda", "-cdrom", "-serial", "-object",
                             "-readconfig", "-incoming", "-add-fd", "-runas", "-chroot", "-pidfile", "-D", "-qmp", "-boot", "-smbios", "--drive", " -drive"}) {
    CHECK_MESSAGE(checked({}, {option, "file=/etc/shadow"}).starts_with(quote(option) + " is not in args_allowlist; the client's operator"), option);
  }
  // Alone, QEMU takes a word for a disk.
  const std::string stray = "args: \"/etc/shadow\" belongs to no option; QEMU would take it for a disk image";
  CHECK(checked({}, {"/etc/shadow"}) == stray);
  CHECK(checked({}, {"-nodefaults", "/etc/shadow"}) == stray);
  CHECK(checked({}, {"-smp", "2", "/etc/shadow"}) == stray);
  // The operator's list replaces ours.
  CHECK(checked({"-kernel"}, {"-kernel", "local/vmlinuz"}).empty());
  CHECK(checked({"-kernel"}, {"-nodefaults"}) == "\"-nodefaults\" is not in args_allowlist");
  CHECK(checked({"-kernel"}, {"--kernel", "x"}) == "\"--kernel\" is not in args_allowlist");
  CHECK(refusal({{"image_path", "x"}, {"args", {"-monitor", "stdio"}}}).starts_with("\"-monitor\" is not in args_allowlist"));
}

TEST_CASE("qemu: N-021 only system emulators, or what the operator lists") {
  CHECK(refusal({{"image_path", "x"}, {"emulator", "qemu-system-aarch64"}}).empty());
  for (const char* name : {"sh", "/usr/bin/qemu-system-x86_64", "qemu-system-../../bin/sh", "qemu-nbd"}) {
    CHECK_MESSAGE(refusal({{"image_path", "x"}, {"emulator", name}}).starts_with("emulator "), name);
  }
  const qemu::Config config{.image_paths = {}, .args_allowlist = {}, .emulators_allowlist = {"/opt/qemu/bin/qemu"}};
  CHECK(refusal({{"image_path", "x"}, {"emulator", "/opt/qemu/bin/qemu"}}, config).empty());
  CHECK(refusal({{"image_path", "x"}}, config) == "emulator \"qemu-system-x86_64\" is not in emulators_allowlist");
}

TEST_CASE("qemu: N-021 a comma in a name begins no option") {
  CHECK(line({{"image_path", "x"}}, machine(), "/a/t/d.img,readonly=on").find("-name d.img,,readonly=on -m 256M -drive file=/a/t/d.img,,readonly=on,if=ide") !=
        std::string::npos);
  auto task = machine();
  task.dns = driver::DnsConfig{{"1.1.1.1,smb=/etc"}, {}, {}};
  CHECK(line({{"image_path", "x"}}, task).find("dns=1.1.1.1,,smb=/etc ") != std::string::npos);
}

TEST_CASE("qemu: images are beneath the allocation or the operator's directories, links followed") {
  const Disks disks;
  CHECK(disks.check("local/disk.img") == disks.task + "/local/disk.img");
  CHECK(disks.check(disks.task + "/local/disk.img") == disks.task + "/local/disk.img");
  CHECK(disks.check("../web/local/disk.img") == disks.task + "/local/disk.img");
  CHECK(disks.check(disks.images + "/sub/base.img") == disks.images + "/sub/base.img");
  const std::string outside = "image_path is not in the allowed paths";
  for (const std::string& path : {disks.host + "/secret", disks.host + "/absent", "../../host/secret"s, disks.images + "/../host/secret", "/etc/shadow"s,
                                  disks.images + "-other/x"}) {
    CHECK_MESSAGE(disks.check(path) == outside, path);
  }
  CHECK(disks.check("local/absent.img") == "image \"local/absent.img\" does not exist in the task's directory");
  CHECK(disks.check("fat:/etc") == "image \"fat:/etc\" does not exist in the task's directory");
  CHECK(disks.check("nbd://example/x") == "image \"nbd://example/x\" does not exist in the task's directory");
  std::filesystem::create_symlink(disks.host + "/secret", disks.task + "/local/link");
  CHECK(disks.check("local/link") == outside);
  std::filesystem::create_symlink(disks.images + "/sub", disks.task + "/shared");
  CHECK(disks.check("shared/base.img") == disks.images + "/sub/base.img");
  CHECK(disks.check("local") == "image \"" + disks.task + "/local\" is not a regular file");
  // An operator's directory that is a link itself counts as where it leads.
  std::filesystem::create_symlink(disks.images, disks.directory.path() + "/alias");
  CHECK(qemu::check_image({disks.alloc, disks.task, {disks.directory.path() + "/alias"}}, disks.images + "/sub/base.img"));
}

TEST_CASE("qemu: N-021 an image's header leads to no file that the job could not name") {
  const Disks disks;
  const auto verdict = [&](const std::string& header) {
    REQUIRE(write_file(disks.task + "/local/disk.img", header));
    return disks.check("local/disk.img");
  };
  const std::string accepted = disks.task + "/local/disk.img", prefix = "image \"local/disk.img\"";
  CHECK(verdict(qcow2("")) == accepted);
  CHECK(verdict(qcow2(disks.images + "/sub/base.img")) == accepted);
  REQUIRE(write_file(disks.task + "/local/base.img", "raw"));
  CHECK(verdict(qcow2("base.img")) == accepted);
  CHECK(verdict(qcow2(disks.host + "/secret")) == prefix + ": its backing file \"" + disks.host + "/secret\" is not in the allowed paths");
  CHECK(verdict(qcow2("../../../host/secret")) == prefix + ": its backing file \"" + disks.host + "/secret\" is not in the allowed paths");
  CHECK(verdict(qcow2("json:{\"file\":1}")) == prefix + ": its backing file \"json:{\\\"file\\\":1}\" is not a path");
  CHECK(verdict(qcow2("nbd://h/x")) == prefix + ": its backing file \"nbd://h/x\" is not a path");
  CHECK(verdict(qcow2("absent.img")) == prefix + ": its backing file \"absent.img\" does not exist");
  CHECK(verdict(qcow2("", true)) == prefix + " is refused: it keeps its data in another file");
  CHECK(verdict(qcow2("disk.img")) == prefix + " has more than 16 backing files");
  // The chain is followed.
  REQUIRE(write_file(disks.images + "/sub/base.img", qcow2(disks.host + "/secret")));
  CHECK(verdict(qcow2(disks.images + "/sub/base.img")).ends_with("is not in the allowed paths"));
  std::string far = qcow2("x");
  far[9] = 1;  // the name lies beyond what is read
  CHECK(verdict(far) == prefix + " is refused: its backing file is named outside its header");
  std::string qed(512, '\0');
  qed.replace(0, 4, "QED\0"s);
  CHECK(verdict(qed) == accepted);
  qed[16] = 1, qed[57] = 1, qed[60] = 5;
  qed.replace(256, 5, "/etc/");
  CHECK(verdict(qed).ends_with("is not in the allowed paths"));
  CHECK(verdict("# Disk DescriptorFile\nversion=1\nRW 1 FLAT \"/etc/shadow\" 0\n") == prefix + " is refused: it is a VMDK descriptor, which names other files");
  CHECK(verdict("vhdxfile" + std::string(100, 'x')) == prefix + " is refused: it is a VHDX, which may have a parent; convert it to qcow2");
  CHECK(verdict("") == accepted);
  CHECK(verdict("QFI\xfb"s) == accepted);
}

TEST_CASE("qemu: versions") {
  CHECK(qemu::parse_version("QEMU emulator version 7.2.18 (Debian 1:7.2+dfsg-7+deb12u18)\nCopyright") == "7.2.18");
  CHECK(qemu::parse_version("QEMU emulator version 2.10\n") == "2.10");
  CHECK(qemu::parse_version("something else").empty());
  CHECK(qemu::parse_version("version x").empty());
}

TEST_CASE("qemu: the schema holds every option, and refuses paths that are not absolute") {
  const auto attributes = std::get<plugin::ObjectSpec>(qemu::task_config_schema().node().kind).attributes;
  CHECK(attributes.size() == 9);
  CHECK(plugin::check_schema(qemu::task_config_schema()));
  CHECK(qemu::decode_config(plugin::to_msgpack({{"image_paths", {"images"}}})).error().message() == "image_paths: \"images\" is not an absolute path");
}

namespace {

// The other end of a monitor's socket: greets, takes one line, answers.
struct Monitor {
  asio::io_context& loop;
  std::string heard;

  Async<> serve(std::string path, bool answers) {
    using Local = asio::local::stream_protocol;
    Local::acceptor acceptor(loop, Local::endpoint(path));
    auto socket = co_await acceptor.async_accept(asio::use_awaitable);
    if (answers) co_await asio::async_write(socket, asio::buffer("QEMU 7.2.18 monitor - type 'help'\r\n(qemu) "s), asio::use_awaitable);
    asio::streambuf buffer;
    const auto [error, size] = co_await asio::async_read_until(socket, buffer, '\n', no_throw);
    if (error) co_return;
    heard.assign(asio::buffers_begin(buffer.data()), asio::buffers_begin(buffer.data()) + static_cast<std::ptrdiff_t>(size));
    // It is ended by the command: no second prompt.
  }
};

Async<> talk(asio::io_context& loop, Monitor& monitor, std::string directory, bool answers, std::chrono::nanoseconds limit, Result<>& answer) {
  Scope scope(loop.get_executor());
  scope.spawn(monitor.serve(directory + "/qm.sock", answers));
  answer = co_await qemu::send_to_monitor(directory, "system_powerdown", limit);
  co_await scope.close();
}

}  // namespace

TEST_CASE("qemu: a command to the monitor, and a monitor that says nothing, is a link, or is not there") {
  const auto place = *TempDir::make();
  asio::io_context loop;
  const auto ask = [&](std::chrono::nanoseconds limit) { return qemu::send_to_monitor(place.path(), "system_powerdown", limit); };
  CHECK_FALSE(wait_for(loop, ask(1s)));
  Monitor monitor{loop, {}};
  Result<> answer;
  wait_for(loop, talk(loop, monitor, place.path(), true, 60s, answer));
  CHECK(answer);
  CHECK(monitor.heard == "system_powerdown\n");
  std::filesystem::remove(place.path() + "/qm.sock");
  wait_for(loop, talk(loop, monitor, place.path(), false, 30ms, answer));
  CHECK(answer.error().message() == "the monitor of \"" + place.path() + "\" did not answer");
  std::filesystem::rename(place.path() + "/qm.sock", place.path() + "/elsewhere");
  std::filesystem::create_symlink(place.path() + "/elsewhere", place.path() + "/qm.sock");
  CHECK(wait_for(loop, ask(1s)).error().message() == "\"" + place.path() + "/qm.sock\" is not a socket");
}
