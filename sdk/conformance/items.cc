#include "sdk/conformance/items.h"

#include <algorithm>

namespace drover::conformance {
namespace {
constexpr Level R = Level::required, S = Level::should, I = Level::informational;
constexpr Subject P = Subject::plugin, D = Subject::driver, T = Subject::task, V = Subject::device, H = Subject::host;
constexpr std::string_view launch = "handshake", output = "signals and output", base = "base service", fixed = "driver, static part",
                           rough = "driver, robustness", life = "task life", recovery = "recovery", stats = "statistics", logs = "logs",
                           exec = "signals and exec", around = "surroundings", load = "load", device = "devices", host = "host";

const std::vector<Item> list = {
    {1, R, P, launch, "without the cookie the program ends with an error and prints no handshake", "protocol 1.2"},
    {2, R, P, launch, "with a wrong cookie the program ends with an error and prints no handshake", "protocol 1.2"},
    {3, S, P, launch, "started by hand, the program explains itself on stderr", "protocol 1.2"},
    {4, R, P, launch, "the handshake line arrives within a minute, better within 5 s", "protocol 1.1"},
    {5, R, P, launch, "the handshake line is the first output on stdout, ends with a newline and has at least 5 fields", "protocol 1.5"},
    {6, R, P, launch, "the handshake says core version 1, app version 2, protocol grpc", "protocol 1.5"},
    {7, R, P, launch, "the network is unix or tcp and the address accepts connections at once", "protocol 1.3"},
    {8, S, P, launch, "exactly 6 fields, the last one empty, when neither multiplexing nor TLS was asked for", "protocol 1.5"},
    {9, R, P, launch, "app version 2 is chosen from 1,2,3; a missing version list does no harm", "protocol 1.4"},
    {10, R, P, launch, "a version list without 2 gives a line with 2 or an error, and no hang", "protocol 1.4"},
    {11, R, P, launch, "the socket is made in PLUGIN_UNIX_SOCKET_DIR, or at least in TMPDIR", "protocol 1.2"},
    {12, S, P, launch, "PLUGIN_UNIX_SOCKET_GROUP gives the socket this group and mode 0660", "protocol 1.2"},
    {13, I, P, launch, "a TMPDIR too long for a socket ends in a diagnosis, not in a hang", "protocol 1.2"},
    {14, R, P, launch, "PLUGIN_MULTIPLEX_GRPC=true still gives a valid line", "protocol 1.2"},
    {15, S, P, launch, "AutoMTLS: a certificate for localhost, TLS 1.2 and 1.3, other clients refused", "protocol 1.7"},
    {16, R, P, launch, "the end of stdin does not end the plugin", "protocol 1.5"},
    {17, R, P, launch, "the plugin starts with a minimal environment", "protocol 1.2"},
    {18, R, P, launch, "two copies at the same time do not disturb each other", "protocol 7.8"},
    {19, R, P, launch, "started and stopped without any call it exits 0 within 2 s", "protocol 3.4"},
    {20, R, P, launch, "arguments are tolerated", "protocol 1.2"},

    {21, R, P, output, "SIGINT is ignored", "protocol 1.8"},
    {22, S, P, output, "SIGTERM ends the process within 2 s", "protocol 1.8"},
    {23, R, P, output, "GRPCController.Shutdown ends the process with exit status 0 within 2 s", "protocol 1.9"},
    {24, S, P, output, "the socket file is gone after an orderly exit", "protocol 1.3"},
    {25, R, P, output, "no child that belonged to the plugin alone stays after Shutdown", "protocol 1.9"},
    {26, R, P, output, "JSON lines on stderr have text under @message, @level and @timestamp", "protocol 1.6"},
    {27, S, P, output, "log records have the timestamp's layout and one of the five levels", "protocol 1.6"},
    {28, S, P, output, "no line on stderr is longer than 64 KiB", "protocol 1.6"},
    {29, S, P, output, "GRPCStdio.StreamStdio is there and stays open", "protocol 2.4"},
    {30, R, P, output, "output of the plugin that nobody reads does not block its calls", "protocol 2.4"},
    {31, S, P, output, "a broken stderr does not kill the process", "protocol 1.6"},
    {32, R, P, output, "a second connection serves as the first did", "protocol 1.11"},
    {33, R, P, output, "an idle plugin goes on serving", "protocol 1.10"},
    {34, S, P, output, "health: SERVING for \"plugin\", NOT_FOUND for others", "protocol 2.1"},
    {35, R, P, output, "an open broker stream does no harm", "protocol 2.3"},

    {36, R, P, base, "PluginInfo gives a driver or a device, and the same on repeated and concurrent calls", "protocol 3.1"},
    {37, R, P, base, "plugin_api_versions has 0.1.0 and every entry is a version", "protocol 3.2"},
    {38, R, P, base, "plugin_version is a version", "protocol 3.2"},
    {39, R, P, base, "the name has 1 to 63 of the characters A-Z a-z 0-9 . _ -", "protocol 3.2"},
    {40, R, P, base, "PluginInfo and ConfigSchema work before SetConfig", "protocol 3.4"},
    {41, R, P, base, "ConfigSchema follows the rules; defaults have the type of what they replace", "protocol 4.1"},
    {42, R, P, base, "SetConfig with the defaults and without nomad_config works or says why not", "protocol 3.5"},
    {43, R, P, base, "the same SetConfig twice works", "protocol 3.4"},
    {44, R, P, base, "SetConfig with a full nomad_config works", "protocol 3.1"},
    {45, S, P, base, "SetConfig with a driver section without topology does not end the plugin", "protocol 3.1"},
    {46, R, P, base, "SetConfig with zero bytes does not end the plugin", "protocol 3.5"},
    {47, R, P, base, "a nil root, unknown keys and trailing bytes do not end the plugin", "protocol 4.5"},
    {48, S, P, base, "malformed MessagePack is an error and does not end the plugin", "protocol 4.5"},
    {49, R, P, base, "plugin_api_version v0.1.0 is accepted", "protocol 3.2"},
    {50, S, P, base, "SetConfig takes less than 5 s and leaves nothing behind", "protocol 3.4"},

    {51, R, D, fixed, "TaskConfigSchema has a spec that follows the rules, always the same", "protocol 4.1"},
    {52, R, D, fixed, "Capabilities are there, with known values and no network mode twice", "protocol 5.3"},
    {53, R, D, fixed, "Fingerprint sends at once, stays open and can be opened twice", "protocol 5.3"},
    {54, R, D, fixed, "fingerprint: known health, typed attributes with known units", "protocol 6.3"},
    {55, R, D, fixed, "a cancelled Fingerprint is freed", "protocol 5.3"},
    {56, R, D, fixed, "TaskEvents stays open and can be opened twice", "protocol 5.3"},
    {57, R, D, fixed, "Init works or is unimplemented, also when repeated", "protocol 5.3"},
    {58, R, D, fixed, "Driver.Shutdown works or is unimplemented, and the process still answers", "protocol 5.3"},
    {59, R, P, fixed, "an unknown method is UNIMPLEMENTED", "protocol 5.5"},

    {60, R, D, rough, "calls for an unknown task give an error in time", "protocol 5.1"},
    {61, R, D, rough, "RecoverTask with a missing, empty or foreign handle is an error", "protocol 5.1"},
    {62, R, D, rough, "StartTask with missing parts is an error and leaves nothing behind", "protocol 5.1"},
    {63, R, D, rough, "missing durations are an error or a default", "protocol 5.1"},
    {64, R, D, rough, "ExecTaskStreaming survives a missing setup, a half-close and a cancel", "protocol 5.3"},
    {65, R, D, rough, "CreateNetwork and DestroyNetwork of a driver without them are errors", "protocol 5.3"},
    {66, S, D, rough, "100 concurrent calls are all answered", "protocol 5.1"},
    {67, R, D, rough, "a message of 8 MiB is accepted", "protocol 1.10"},

    {68, R, T, life, "StartTask gives a complete handle", "protocol 5.3"},
    {69, R, T, life, "WaitTask gives the exit code", "protocol 5.3"},
    {70, R, T, life, "WaitTask can be called after the end and several times at once", "protocol 5.3"},
    {71, R, T, life, "death by a signal is reported as such", "protocol 5.3"},
    {72, S, T, life, "death by the memory limit is reported as oom_killed", "protocol 5.3"},
    {73, R, T, life, "StopTask sends the signal and kills after the timeout", "protocol 5.3"},
    {74, R, T, life, "StopTask with timeout 0 kills at once; a second one is harmless", "protocol 5.3"},
    {75, R, T, life, "DestroyTask refuses a running task, kills it with force, and leaves nothing", "protocol 5.3"},

    {76, R, T, recovery, "a task is recovered after the plugin was stopped and started", "protocol 5.3"},
    {77, R, T, recovery, "a task is recovered after the plugin was killed", "protocol 5.3"},
    {78, S, T, recovery, "RecoverTask does not need msgpack_driver_config", "protocol 3.7"},
    {79, R, T, recovery, "RecoverTask of a task that ended meanwhile reports its end or an error", "protocol 5.3"},
    {80, R, T, recovery, "RecoverTask is idempotent, and stopping an older instance leaves the task running", "protocol 3.8"},
    {81, R, T, recovery, "a handle of the previous version is accepted", "protocol 4.6"},
    {82, R, T, recovery, "InspectTask follows the task's states", "protocol 5.3"},

    {83, R, T, stats, "TaskStats sends complete samples at the interval", "protocol 5.3"},
    {84, S, T, stats, "TaskStats measures memory and CPU", "protocol 5.3"},

    {85, R, T, logs, "stdout and stderr arrive in their FIFOs, which are closed in the end", "protocol 7.3"},
    {86, R, T, logs, "null-device paths are accepted, better also empty ones", "protocol 7.3"},
    {87, R, T, logs, "a log nobody reads does not block other calls", "protocol 7.3"},

    {88, R, T, exec, "a signal reaches the task; an unknown one is an error", "protocol 5.3"},
    {89, R, T, exec, "ExecTask gives output and exit code, and its timeout kills", "protocol 5.3"},
    {90, R, T, exec, "streaming exec: output, its ends, the exit, the end of the stream, in this order", "protocol 5.3"},
    {91, S, T, exec, "streaming exec with a terminal: size, resizing, Ctrl-C", "protocol 5.3"},

    {92, R, T, around, "environment variables arrive unchanged", "protocol 7.5"},
    {93, R, T, around, "mounts and devices are visible, read-only ones read-only", "protocol 5.4"},
    {94, R, D, around, "CreateNetwork and DestroyNetwork are idempotent", "protocol 5.3"},
    {95, R, T, around, "a task in the group's network sees only its interfaces", "protocol 7.6"},
    {96, S, T, around, "limits are visible in the task's cgroup", "protocol 7.4"},
    {97, S, T, around, "the task runs as its user", "protocol 7.7"},

    {98, R, T, load, "50 tasks at once leave nothing behind", "protocol 5.1"},
    {99, R, T, load, "a task id that is in use is refused, the running task unharmed", "protocol 5.3"},
    {100, R, T, load, "a task that cannot start is an error that names the cause", "protocol 5.1"},

    {101, R, V, device, "Fingerprint gives valid groups and stays open or says why not", "protocol 6.2"},
    {102, R, V, device, "Reserve of a listed device has a reservation with absolute paths", "protocol 6.2"},
    {103, R, V, device, "Reserve of unknown, no or doubled ids does not end the plugin", "protocol 6.2"},
    {104, R, V, device, "Reserve twice gives the same answer", "protocol 6.1"},
    {105, R, V, device, "Stats: groups and ids of the fingerprint, timestamps, one kind of value, the interval", "protocol 6.2"},
    {106, S, V, device, "cancelled Fingerprint and Stats streams are freed", "protocol 6.1"},
    {107, S, V, device, "SetConfig with zero bytes is handled", "protocol 3.5"},

    {108, R, H, host, "answers with missing parts are classified", "protocol 5.1"},
    {109, R, H, host, "a plugin without controller, stdio, broker, health and reflection is used", "protocol 2"},
    {110, R, H, host, "bad handshakes: garbage, 5 and 7 fields, too long, none, silent end, late", "protocol 1.5"},
    {111, R, H, host, "bad logs: wrong types, long lines, NUL bytes, a flood", "protocol 1.6"},
    {112, R, H, host, "a plugin that dies in each phase and call, ends each stream, crashes in a loop", "protocol 3.6"},
    {113, R, H, host, "a pid that belongs to another process is not attached to", "protocol 1.11"},
    {114, R, H, host, "the host is killed under load: no task, plugin or log line is lost", "protocol 9"},
};
}  // namespace

const std::vector<Item>& all_items() { return list; }

const Item* find_item(int number) {
  const auto found = std::find_if(list.begin(), list.end(), [&](const Item& item) { return item.number == number; });
  return found == list.end() ? nullptr : &*found;
}

char letter(Level level) {
  switch (level) {
    case Level::required: return 'R';
    case Level::should: return 'S';
    case Level::informational: return 'I';
  }
  return '?';
}

std::string_view word(Level level) {
  switch (level) {
    case Level::required: return "required";
    case Level::should: return "recommended";
    case Level::informational: return "information";
  }
  return "";
}

std::string_view word(Subject subject) {
  switch (subject) {
    case Subject::plugin: return "any plugin";
    case Subject::driver: return "drivers";
    case Subject::task: return "drivers with a task configuration";
    case Subject::device: return "device plugins";
    case Subject::host: return "the host";
  }
  return "";
}

}  // namespace drover::conformance
