#include <sys/stat.h>

#include "plugins/java/driver.h"
#include "tests/unit/plugins/support.h"

using namespace drover;
using namespace drover::testing;
using namespace std::chrono_literals;
using nlohmann::json;

namespace {

json as_exec(const json& options) {
  const auto out = java::exec_config(plugin::to_msgpack(options), "/usr/bin/java");
  REQUIRE_MESSAGE(out, (out ? "" : out.error().message()));
  return *plugin::decode_config(*out);
}

void install(const std::string& path, const std::string& script) {
  REQUIRE(write_file(path, "#!/bin/sh\n" + script));
  REQUIRE(::chmod(path.c_str(), 0755) == 0);
}

}  // namespace

TEST_CASE("java: a jar with options becomes the JVM's arguments, in Java's order") {
  const json options = {{"jar_path", "local/app.jar"}, {"class_path", "local/lib/*"}, {"jvm_options", {"-Xmx64m", "-Da=b"}}, {"args", {"one", "two"}},
                        {"class", "Main"}, {"pid_mode", "host"}, {"work_dir", "/local"}};
  CHECK(as_exec(options) == json{{"command", "/usr/bin/java"},
                                 {"args", {"-Xmx64m", "-Da=b", "-cp", "local/lib/*", "-jar", "local/app.jar", "Main", "one", "two"}},
                                 {"pid_mode", "host"}, {"work_dir", "/local"}});
  CHECK(as_exec({{"class", "Main"}})["args"] == json{"Main"});
  CHECK(as_exec({{"class", "Main"}, {"rootfs", "local/root"}})["command"] == "java");
  // No memory option is added: the heap is the job's business.
  CHECK(as_exec({{"jar_path", "a.jar"}})["args"] == json({"-jar", "a.jar"}));
}

TEST_CASE("java: neither a jar nor a class is an error of the job, also on a node without Java") {
  CHECK(java::exec_config(plugin::to_msgpack({{"args", {"x"}}}), "java").error().message() == "jar_path or class must be specified");
}

TEST_CASE("java: the schema is exec's with Java's own names") {
  const auto attributes = std::get<plugin::ObjectSpec>(java::task_config_schema().node().kind).attributes;
  for (const char* name : {"class", "class_path", "jar_path", "jvm_options", "args", "pid_mode", "ipc_mode", "cap_add", "cap_drop", "work_dir"}) {
    CHECK_MESSAGE(attributes.contains(name), name);
  }
  CHECK_FALSE(attributes.contains("command"));
  CHECK(plugin::check_schema(java::task_config_schema()));
}

TEST_CASE("java: what `java -version` says") {
  CHECK(java::parse_version("openjdk version \"17.0.15\" 2025-04-15\nOpenJDK Runtime Environment (build 17.0.15+6-Debian-1deb12u1)\n"
                            "OpenJDK 64-Bit Server VM (build 17.0.15+6-Debian-1deb12u1, mixed mode, sharing)\n") ==
        java::Version{"17.0.15", "OpenJDK Runtime Environment (build 17.0.15+6-Debian-1deb12u1)",
                      "OpenJDK 64-Bit Server VM (build 17.0.15+6-Debian-1deb12u1, mixed mode, sharing)"});
  CHECK(java::parse_version("Picked up _JAVA_OPTIONS: -Xmx2048m\njava version \"1.7.0_80\"\nRuntime\nVM\n").number == "1.7.0_80");
  CHECK(java::parse_version("java 9\r\nRuntime\r\nVM\r\n") == java::Version{"9", "Runtime", "VM"});
  CHECK(java::parse_version("no number here\nRuntime\nVM").number == "no number here");
  CHECK(java::parse_version("one line") == java::Version{});
  CHECK(java::parse_version("") == java::Version{});
}

TEST_CASE("java: a JVM outside the chroot's entries is brought in") {
  const auto entries = default_chroot_env();
  CHECK(java::home_to_bind("/usr/lib/jvm/java-17-openjdk-amd64/bin/java", entries).empty());
  CHECK(java::home_to_bind("/opt/jdk-21/bin/java", entries) == "/opt/jdk-21");
  CHECK(java::home_to_bind("/usrlocal/bin/java", entries) == "/usrlocal");
  CHECK(java::home_to_bind("/bin/java", {}).empty());
  CHECK(java::home_to_bind("java", {}).empty());
}

TEST_CASE("programs: found in PATH with links followed, known again by what the file is") {
  const auto place = *TempDir::make();
  const std::string bin = place.path() + "/bin", real = place.path() + "/real";
  REQUIRE(make_directories(bin));
  REQUIRE(make_directories(place.path() + "/first/tool"));  // a directory of that name is not a program
  install(real, "echo version 3; echo and more >&2\n");
  std::filesystem::create_symlink(real, bin + "/tool");
  const std::string path = "relative:" + place.path() + "/first::" + bin;
  const auto found = find_program("tool", path);
  REQUIRE(found);
  CHECK(found->path == std::filesystem::canonical(real).string());
  CHECK(*find_program("tool", path) == *found);
  std::filesystem::remove(real);
  CHECK(find_program("tool", path).error().message() == "failed to resolve path to \"tool\" executable: not found in PATH (" + path + ")");
  install(real + "-new", "exit 3\n");
  std::filesystem::rename(real + "-new", real);
  CHECK_FALSE(*find_program("tool", path) == *found);
  CHECK(find_program("/etc/passwd", "").error().message() == "failed to resolve path to \"/etc/passwd\" executable: not an executable file");
}

TEST_CASE("programs: their output, their failure, their silence") {
  const auto place = *TempDir::make();
  asio::io_context loop;
  const std::string path = place.path() + "/tool";
  install(path, "echo out; echo err >&2; test -z \"$GREETING\"\n");
  CHECK(*wait_for(loop, program_output(path, {}, 60s)) == "out\nerr\n");
  install(path, "echo \"no $1\"; exit 2\n");
  CHECK(wait_for(loop, program_output(path, {"licence"}, 60s)).error().message() == "\"" + path + "\" failed: no licence");
  install(path, "exec head -c 200000 /dev/zero\n");
  CHECK(wait_for(loop, program_output(path, {}, 60s))->size() == 65536);
  install(path, "exec sleep 600\n");
  CHECK(wait_for(loop, program_output(path, {}, 50ms)).error().message() == "\"" + path + "\" gave no answer within 50ms");
  CHECK_FALSE(wait_for(loop, program_output(place.path() + "/absent", {}, 1s)));
}
