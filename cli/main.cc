#include <csignal>
#include <cstdlib>
#include <string>
#include <vector>

#include "cli/command.h"
#include "cli/complete.h"

int main(int argc, char** argv) {
  // A reader of our output that goes away is not a reason to die before cleaning up.
  std::signal(SIGPIPE, SIG_IGN);
  drover::cli::Ui ui;
  if (argc > 0) ui.set_program(argv[0]);
  if (const char* line = std::getenv("COMP_LINE"); line != nullptr) {
    for (const std::string& word : drover::cli::complete(line, drover::cli::ask_api)) ui.out(word);
    return 0;
  }
  return drover::cli::run_command_line(std::vector<std::string>(argv + 1, argv + argc), ui);
}
