// A command in a task from the user's side: standard streams and terminal over the API's websocket (http-api 3.4). Owned by the
// command that runs it; one at a time, since the terminal is one.
#pragma once

#include <string>

#include "cli/api_client.h"

namespace drover::cli {

struct ExecTerminal {
  bool interactive = true;  // the command gets this program's standard input
  bool tty = false;
  char escape = '~';        // followed by a dot at the start of a line it ends the session; 0: nothing does
};

// Returns the command's exit code; an error is why there is none.
[[nodiscard]] Result<int> run_exec_session(Context& context, const std::string& path, QueryPairs query, ExecTerminal terminal);

// "~", or "none". The error is for the user.
[[nodiscard]] Result<char> parse_escape(std::string_view text);

// Finds the escape sequence in what a user types. A value.
class EscapeFilter {
 public:
  explicit EscapeFilter(char escape) : escape_(escape) {}
  // What is to be sent on; sets ended() at `~.` after a line's start.
  [[nodiscard]] std::string feed(std::string_view typed);
  [[nodiscard]] bool ended() const { return ended_; }

 private:
  char escape_;
  bool line_start_ = true;
  bool held_ = false;  // an escape character that is not sent yet
  bool ended_ = false;
};

}  // namespace drover::cli
