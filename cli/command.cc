#include "cli/command.h"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <set>

#include "cli/api_client.h"
#include "cli/complete.h"
#include "sdk/base/text.h"

namespace drover::cli {
namespace {
std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

bool is_group(std::string_view words) {
  const std::string prefix = std::string(words) + " ";
  for (const CommandEntry& entry : all_commands()) {
    if (entry.words.starts_with(prefix)) return true;
  }
  return false;
}

bool is_help(std::string_view word) { return word == "-h" || word == "-help" || word == "--help"; }

std::string group_synopsis(std::string_view words) {
  for (const auto& [name, synopsis] : command_groups()) {
    if (name == words) return synopsis;
  }
  return "";
}

// The text with every line two blanks in.
std::string indented(const std::string& text) { return "  " + replace_all(text, "\n", "\n  "); }

std::string command_help(const CommandEntry& entry) {
  FlagSet flags;
  GeneralOptions options;
  const auto command = entry.make();
  command->flags(flags);
  std::string out = fmt::format("Usage: nomad {} {}\n\n{}\n", entry.words, entry.arguments, indented(entry.help));
  std::string others;
  for (const CommandEntry& other : all_commands()) {
    if (other.alias_of == entry.words && !other.hidden) others += fmt::format("{}nomad {}", others.empty() ? "" : ", ", other.words);
  }
  if (!others.empty()) out += fmt::format("\n  Also: {}\n", others);
  if (entry.general_options) {
    FlagSet general;
    add_general_flags(general, options);
    out += "\nGeneral options:\n\n" + general.help();
  }
  if (const std::string own = flags.help(); !own.empty()) out += "\nOptions:\n\n" + own;
  while (!out.empty() && out.back() == '\n') out.pop_back();
  return out;
}

// Two columns: the next word below `prefix` and its synopsis.
std::string listing(std::string_view prefix, const std::set<std::string, std::less<>>* only, const std::set<std::string, std::less<>>* except) {
  std::vector<std::pair<std::string, std::string>> rows;
  for (const CommandEntry& entry : all_commands()) {
    if (entry.hidden || !entry.words.starts_with(prefix)) continue;
    const std::string rest = entry.words.substr(prefix.size());
    const std::string word = rest.substr(0, rest.find(' '));
    if ((only != nullptr && !only->contains(word)) || (except != nullptr && except->contains(word))) continue;
    if (only == nullptr && prefix.empty() && !entry.alias_of.empty()) continue;
    if (!rows.empty() && rows.back().first == word) continue;
    const std::string words = std::string(prefix) + word;
    const CommandEntry* command = find_command(words);
    rows.emplace_back(word, command != nullptr ? command->synopsis : group_synopsis(words));
  }
  std::size_t width = 0;
  for (const auto& [word, text] : rows) width = std::max(width, word.size());
  std::string out;
  for (const auto& [word, text] : rows) out += fmt::format("    {}{}    {}\n", word, std::string(width - word.size(), ' '), text);
  return out;
}

std::string group_help(std::string_view words) {
  const std::string synopsis = group_synopsis(words);
  return fmt::format("Usage: nomad {} <subcommand> [options] [args]\n\n{}Subcommands:\n\n{}", words, synopsis.empty() ? "" : indented(synopsis) + "\n\n", listing(std::string(words) + " ", nullptr, nullptr));
}

std::string top_help() {
  static const std::set<std::string, std::less<>> common{"run", "stop", "status", "alloc", "job", "node", "agent"};
  return fmt::format("Usage: nomad [-version] [-help] [-autocomplete-(un)install] <command> [args]\n\nCommon commands:\n{}\nOther commands:\n{}",
                     listing("", &common, nullptr), listing("", nullptr, &common));
}

int run_entry(const CommandEntry& entry, const std::vector<std::string>& words, Ui& ui) {
  for (const std::string& word : words) {
    if (word == "--") break;
    if (is_help(word)) {
      ui.out(command_help(entry));
      return 0;
    }
  }
  Context context(ui);
  context.command = entry.words;
  context.options = options_from_environment();
  FlagSet flags;
  if (entry.general_options) add_general_flags(flags, context.options);
  const auto command = entry.make();
  command->flags(flags);
  auto arguments = flags.parse(words);
  if (!arguments) {
    ui.error(arguments.error().message());
    ui.out(command_help(entry));
    if (!entry.flag_error_again.empty()) ui.error(entry.flag_error_again + arguments.error().message());
    return entry.flag_error_code;
  }
  ui.set_color(!context.options.no_color && (context.options.force_color || ::isatty(STDOUT_FILENO) == 1));
  ui.set_error_color(!context.options.no_color && (context.options.force_color || ::isatty(STDERR_FILENO) == 1));
  return command->run(context, *arguments);
}
}  // namespace

GeneralOptions options_from_environment() {
  GeneralOptions out;
  out.address = environment("NOMAD_ADDR");
  if (out.address.empty()) out.address = "http://127.0.0.1:4646";
  out.region = environment("NOMAD_REGION");
  out.namespace_ = environment("NOMAD_NAMESPACE");
  out.token = environment("NOMAD_TOKEN");
  out.ca_cert = environment("NOMAD_CACERT");
  out.ca_path = environment("NOMAD_CAPATH");
  out.client_cert = environment("NOMAD_CLIENT_CERT");
  out.client_key = environment("NOMAD_CLIENT_KEY");
  out.tls_server_name = environment("NOMAD_TLS_SERVER_NAME");
  out.tls_skip_verify = parse_bool(environment("NOMAD_SKIP_VERIFY")).value_or(false);
  out.no_color = !environment("NOMAD_CLI_NO_COLOR").empty();
  out.force_color = !environment("NOMAD_CLI_FORCE_COLOR").empty();
  return out;
}

void add_general_flags(FlagSet& flags, GeneralOptions& options) {
  flags.text("address", options.address, "Address of the agent's HTTP API: http(s)://host:port or unix:///path. NOMAD_ADDR.");
  flags.text("region", options.region, "Region to ask. NOMAD_REGION.");
  flags.text("namespace", options.namespace_, "Namespace to ask; \"*\" where a command says so. NOMAD_NAMESPACE.");
  flags.text("token", options.token, "Secret id of the ACL token to use. NOMAD_TOKEN.");
  flags.boolean("no-color", options.no_color, "Write no colours. NOMAD_CLI_NO_COLOR.");
  flags.boolean("force-color", options.force_color, "Write colours although the output is no terminal. NOMAD_CLI_FORCE_COLOR.");
  flags.text("ca-cert", options.ca_cert, "PEM file of the certificate authority to trust. NOMAD_CACERT.");
  flags.text("ca-path", options.ca_path, "Directory of certificate authorities to trust. NOMAD_CAPATH.");
  flags.text("client-cert", options.client_cert, "PEM file of the client certificate. NOMAD_CLIENT_CERT.");
  flags.text("client-key", options.client_key, "PEM file of the client certificate's key. NOMAD_CLIENT_KEY.");
  flags.text("tls-server-name", options.tls_server_name, "Name to verify in the agent's certificate. NOMAD_TLS_SERVER_NAME.");
  flags.boolean("tls-skip-verify", options.tls_skip_verify, "Do not verify the agent's certificate. NOMAD_SKIP_VERIFY.");
  flags.boolean("insecure", options.tls_skip_verify, "");
}

const CommandEntry* find_command(std::string_view words) {
  for (const CommandEntry& entry : all_commands()) {
    if (entry.words == words) return entry.alias_of.empty() ? &entry : find_command(entry.alias_of);
  }
  return nullptr;
}

Context::Context(Ui& target) : ui(target) {}
Context::~Context() = default;

ApiClient& Context::api() {
  if (!api_) api_ = std::make_unique<ApiClient>(options);
  return *api_;
}

int Context::usage_error(std::string_view sentence) {
  ui.error(sentence);
  ui.error(fmt::format("For additional help try 'nomad {} -help'", command));
  return 1;
}

int Context::failed(std::string_view sentence) {
  ui.error(sentence);
  return 1;
}

void Context::ui_hint(std::string_view description, std::string_view path) {
  const std::string wanted = environment("NOMAD_CLI_SHOW_HINTS");
  if (!wanted.empty() && !parse_bool(wanted).value_or(true)) return;
  ui.error(fmt::format("\n\n==> {} in the Web UI: {}/ui{}", description, options.address, path));
}

int run_command_line(const std::vector<std::string>& words, Ui& ui) {
  if (words.empty()) {
    ui.out(top_help());
    return 127;
  }
  if (words[0] == "-autocomplete-install" || words[0] == "-autocomplete-uninstall") {
    const bool install = words[0] == "-autocomplete-install";
    auto changed = install ? install_completion(environment("HOME"), ui.program_path()) : uninstall_completion(environment("HOME"), ui.program_path());
    if (!changed) {
      ui.error(fmt::format("Error {} autocompletion: {}", install ? "installing" : "removing", changed.error().message()));
      return 1;
    }
    for (const std::string& file : *changed) ui.out(fmt::format("{} {}", install ? "Written to" : "Removed from", file));
    return 0;
  }
  if (words[0] == "-v" || words[0] == "-version" || words[0] == "--version") return run_entry(*find_command("version"), {}, ui);
  if (is_help(words[0])) {
    ui.out(top_help());
    return 0;
  }
  if (words[0][0] == '-') {
    ui.out("Invalid flags before the subcommand. If these flags are for\nthe subcommand, please put them after the subcommand.\n");
    ui.out(top_help());
    return 1;
  }
  // The longest run of words that names a command; a group's name alone is not one.
  std::string name;
  const CommandEntry* entry = nullptr;
  std::string group;
  std::size_t used = 0;
  for (std::size_t i = 0; i < words.size() && i < 4 && !words[i].starts_with('-'); ++i) {
    name += (i == 0 ? "" : " ") + words[i];
    if (const CommandEntry* found = find_command(name); found != nullptr) {
      entry = found;
      used = i + 1;
    }
    if (is_group(name)) group = name;
  }
  if (entry != nullptr) return run_entry(*entry, std::vector<std::string>(words.begin() + static_cast<std::ptrdiff_t>(used), words.end()), ui);
  if (!group.empty()) {
    ui.out(group_help(group));
    return std::any_of(words.begin(), words.end(), [](const std::string& word) { return is_help(word); }) ? 0 : 1;
  }
  ui.out(top_help());
  return 127;
}

}  // namespace drover::cli
