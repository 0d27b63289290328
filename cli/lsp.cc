// lsp: the language server of job files on standard input and output (lib/lsp is what it knows).
#include <poll.h>
#include <unistd.h>

#include <array>
#include <nlohmann/json.hpp>

#include "cli/api_client.h"
#include "cli/commands.h"
#include "cli/driver_schemas.h"
#include "cli/libexec.h"
#include "cli/local_validation.h"
#include "cli/version.h"
#include "lib/lsp/frames.h"
#include "lib/lsp/server.h"

namespace drover::cli {
namespace {

// Whether more can be read without waiting.
bool more_waits() {
  pollfd entry{.fd = STDIN_FILENO, .events = POLLIN, .revents = 0};
  return ::poll(&entry, 1, 0) > 0 && (entry.revents & POLLIN) != 0;
}

class Lsp final : public Command {
 public:
  void flags(FlagSet& set) override { set.text("plugin-dir", plugin_dir_, "Directory of further plugins whose options are known."); }

  int run(Context& context, const std::vector<std::string>& arguments) override {
    if (!arguments.empty()) return context.usage_error("This command takes no arguments");
    lsp::Surroundings surroundings{.version = drover_version, .schemas = installed_schemas({}, libexec_directory(), plugin_dir_).schemas, .verdict = {}};
    surroundings.verdict = [](const model::Json& job) {
      const auto found = validate_here(job);
      return found ? found->error_text() : found.error().message();
    };
    lsp::Server server(std::move(surroundings));
    lsp::FrameReader reader;
    std::array<char, 65536> piece{};
    while (!server.ended()) {
      const ssize_t size = ::read(STDIN_FILENO, piece.data(), piece.size());
      if (size < 0 && errno == EINTR) continue;
      if (size <= 0) return context.failed("the editor has gone without an exit message");
      reader.feed({piece.data(), static_cast<std::size_t>(size)});
      while (!server.ended()) {
        const auto message = reader.next();
        if (!message) return context.failed(fmt::format("reading from the editor: {}", message.error().message()));
        if (!*message) break;
        send(context, server.handle(**message));
      }
      if (!server.ended() && !more_waits()) send(context, server.publish());
    }
    return server.exit_code();
  }

 private:
  static void send(Context& context, const std::vector<std::string>& messages) {
    for (const std::string& message : messages) context.ui.document(lsp::frame(message));
  }

  std::string plugin_dir_;
};

}  // namespace

std::unique_ptr<Command> make_lsp() { return std::make_unique<Lsp>(); }

}  // namespace drover::cli
