// One command of the command line, as data: the table in commands.cc drives dispatch, help and completion.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "cli/flags.h"
#include "cli/ui.h"

namespace drover::cli {

class ApiClient;

// The general flags (cli contract 1.2), on top of the environment.
struct GeneralOptions {
  std::string address, region, namespace_, token;
  std::string ca_cert, ca_path, client_cert, client_key, tls_server_name;
  bool tls_skip_verify = false, no_color = false, force_color = false;
};

struct Context {
  Ui& ui;
  GeneralOptions options;
  // The words of the command, as in "job run"; for messages.
  std::string command;
  [[nodiscard]] ApiClient& api();
  // Prints an error sentence and where help is; returns 1.
  int usage_error(std::string_view sentence);
  int failed(std::string_view sentence);
  // A hint to the user interface, when hints are on.
  void ui_hint(std::string_view description, std::string_view path);

  explicit Context(Ui& target);
  ~Context();

 private:
  std::unique_ptr<ApiClient> api_;
};

// A command with the variables its flags are bound to. Made anew for every invocation.
class Command {
 public:
  virtual ~Command() = default;
  virtual void flags(FlagSet& flags) = 0;
  virtual int run(Context& context, const std::vector<std::string>& arguments) = 0;
};

// What an argument of a command stands for, for completion.
enum class Completes { nothing, jobs, allocs, nodes, evals, deployments, namespaces, pools, anything, files, job_files };

struct CommandEntry {
  std::string words;      // "job run"
  std::string synopsis = {};   // one line
  std::string arguments = {};  // "[options] <path>"
  std::string help = {};       // what it does, in paragraphs
  std::function<std::unique_ptr<Command>()> make = {};
  bool hidden = false;
  bool general_options = true;
  std::string alias_of = {};   // not empty: the words of the command it stands for
  int flag_error_code = 1;
  // What the complaint about a flag is said again after, below the help.
  std::string flag_error_again = {};
  Completes completes = Completes::nothing;
};

// Every command, sorted by words. Groups are not listed: they are the first words of others.
[[nodiscard]] const std::vector<CommandEntry>& all_commands();

// The groups of commands and what they are about, sorted.
[[nodiscard]] const std::vector<std::pair<std::string, std::string>>& command_groups();
// The command of these words, through aliases; null when there is none.
[[nodiscard]] const CommandEntry* find_command(std::string_view words);
// The flags every command but a few has, bound to `options`; and what the environment says of them.
void add_general_flags(FlagSet& flags, GeneralOptions& options);
[[nodiscard]] GeneralOptions options_from_environment();

// Runs a whole command line (without argv[0]) and returns the exit code.
[[nodiscard]] int run_command_line(const std::vector<std::string>& words, Ui& ui);

}  // namespace drover::cli
