// ui and check.
#include <nlohmann/json.hpp>

#include "cli/api_client.h"
#include "cli/commands.h"
#include "cli/lookup.h"
#include "lib/model/api_agent.h"
#include "sdk/base/text.h"

namespace drover::cli {
namespace {
class UiCommand final : public Command {
 public:
  void flags(FlagSet& set) override {
    set.boolean("authenticate", authenticate_, "Log the browser in with a one-time token.");
    set.boolean("show-url", show_url_, "Print the address instead of opening it.");
  }
  int run(Context& context, const std::vector<std::string>& arguments) override {
    if (arguments.size() > 1) return context.usage_error("This command takes no arguments or one optional argument, [<identifier>]");
    std::string url = context.api().address();
    if (!arguments.empty()) {
      auto page = page_of(context, arguments[0]);
      if (!page) return context.failed(page.error().message());
      url += "/ui" + *page;
    }
    if (show_url_) {
      context.ui.out(fmt::format("URL for web UI: {}", url));
      return 0;
    }
    if (!authenticate_) {
      context.ui.out(fmt::format("Opening URL {}", quote(url)));
      return open_url(context, url);
    }
    auto answer = context.api().put("/v1/acl/token/onetime", "");
    if (!answer) return context.failed(fmt::format("Error upserting one-time token: {}", answer.error().message()));
    const auto token = nlohmann::json::parse(answer->body, nullptr, false);
    context.ui.out(fmt::format("Opening URL {} with one-time token", quote(url)));
    return open_url(context, fmt::format("{}?ott={}", url, token.is_object() ? token.value("/OneTimeToken/OneTimeSecretID"_json_pointer, std::string()) : ""));
  }

 private:
  static int open_url(Context& context, const std::string& url) {
    if (auto opened = context.ui.open_browser(url); !opened) return context.failed(fmt::format("Error opening URL: {}", opened.error().message()));
    return 0;
  }

  // The page of the one object whose id starts so.
  static Result<std::string> page_of(Context& context, const std::string& id) {
    struct Kind {
      const char* path;
      const char* page;
    };
    static constexpr Kind kinds[] = {{"/v1/jobs", "/jobs/"}, {"/v1/nodes", "/clients/"}, {"/v1/allocations", "/allocations/"}};
    std::vector<std::string> pages;
    for (const Kind& kind : kinds) {
      auto answer = context.api().get(kind.path, {{"prefix", id}});
      if (!answer) continue;
      for (const auto& item : nlohmann::json::parse(answer->body, nullptr, false)) {
        if (item.value("ID", "") == id) return kind.page + id;
        pages.push_back(kind.page + item.value("ID", ""));
      }
    }
    if (pages.size() == 1) return pages[0];
    if (pages.empty()) return fail(Code::not_found, "Unable to resolve ID: {}", quote(id));
    return fail(Code::invalid_argument, "Multiple matches found for id {}\n{}", quote(id), join(pages, "\n"));
  }

  bool authenticate_ = false, show_url_ = false;
};

// For monitoring tools: 0 ok, 2 critical.
class Check final : public Command {
 public:
  void flags(FlagSet& set) override {
    set.integer("min-peers", min_peers_, "How many raft peers a server must know.");
    set.integer("min-servers", min_servers_, "How many servers a client must know.");
  }
  int run(Context& context, const std::vector<std::string>&) override {
    constexpr int critical = 2;
    auto self = context.api().read<model::AgentSelf>("/v1/agent/self");
    if (!self) {
      context.ui.out(fmt::format("unable to query agent info: {}", self.error().message()));
      return critical;
    }
    if (const auto* raft = self->stats.get("raft"); raft != nullptr) return enough(context, raft->get("num_peers"), min_peers_, "known peers") ? 0 : critical;
    if (const auto* client = self->stats.get("client"); client != nullptr) return enough(context, client->get("known_servers"), min_servers_, "known servers") ? 0 : critical;
    return 1;
  }

 private:
  static bool enough(Context& context, const std::string* text, std::int64_t wanted, const char* what) {
    if (text == nullptr) {
      context.ui.out(fmt::format("unable to get {}", what));
      return false;
    }
    // Servers are listed by address, peers counted.
    const auto count = text->find_first_not_of("0123456789") == std::string::npos ? std::atoll(text->c_str()) : static_cast<long long>(split(*text, ',').size());
    if (count >= wanted) return true;
    context.ui.out(fmt::format("{} is less than expected number: {} < {}", what, count, wanted));
    return false;
  }

  std::int64_t min_peers_ = 0, min_servers_ = 1;
};
}  // namespace

std::unique_ptr<Command> make_check() { return std::make_unique<Check>(); }
std::unique_ptr<Command> make_ui() { return std::make_unique<UiCommand>(); }

}  // namespace drover::cli
