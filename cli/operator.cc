// agent-info, operator api, server members, system gc and reconcile, status, version.
#include <iostream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "cli/api_client.h"
#include "cli/commands.h"
#include "cli/output_options.h"
#include "cli/version.h"
#include "lib/model/api_agent.h"
#include "sdk/base/file.h"
#include "sdk/base/text.h"

namespace drover::cli {
namespace {
class AgentInfo final : public Command {
 public:
  void flags(FlagSet& set) override { output_.flags(set); }
  int run(Context& context, const std::vector<std::string>& arguments) override {
    if (!arguments.empty()) return context.usage_error("This command takes no arguments");
    auto answer = context.api().get("/v1/agent/self");
    if (!answer) return context.failed(fmt::format("Error querying agent info: {}", answer.error().message()));
    if (output_.wanted()) {
      model::AgentSelf whole;
      if (auto decoded = model::from_json(answer->body, whole); !decoded) return context.failed(decoded.error().message());
      if (output_.json) return write_formatted(context, output_, client_value(whole), "Error formatting output: ");
      // JSON has the parts in lower case, the client's type has not.
      const auto self = client_value(whole);
      return write_formatted(context, output_, record("api.AgentSelf", {{"Config", *self.member("config")}, {"Member", *self.member("member")}, {"Stats", *self.member("stats")}}),
                             "Error formatting output: ");
    }
    const auto self = nlohmann::json::parse(answer->body, nullptr, false);
    if (!self.is_object() || !self.contains("stats")) return context.failed("Error querying agent info: the answer has no stats");
    for (const auto& [section, values] : self["stats"].items()) {
      context.ui.out(section);
      for (const auto& [key, value] : values.items()) context.ui.out(fmt::format("  {} = {}", key, value.is_string() ? value.get<std::string>() : value.dump()));
    }
    return 0;
  }

 private:
  OutputOptions output_;
};

class OperatorApi final : public Command {
 public:
  void flags(FlagSet& set) override {
    set.boolean("dryrun", dry_run_, "Print the request as a curl line and send nothing.");
    set.boolean("verbose", verbose_, "Print the request and the head of the answer on stderr.");
    set.text("filter", filter_, "Filter expression.");
    set.text("X", method_, "Method; GET, or PUT when there is a body.");
    set.list("H", headers_, "A header, as \"Name: value\".");
  }

  int run(Context& context, const std::vector<std::string>& arguments) override {
    if (arguments.empty()) return context.usage_error("A path or URL is required");
    if (arguments.size() > 2) return context.usage_error("These arguments are not supported: " + arguments[2]);
    std::string target = arguments[0];
    if (!target.starts_with('/')) target = "/v1/" + target;
    std::string body;
    if (arguments.size() == 2) {
      if (arguments[1] == "-") body.assign(std::istreambuf_iterator<char>(std::cin), {});
      else if (arguments[1].starts_with('@')) {
        auto file = read_file(arguments[1].substr(1));
        if (!file) return context.failed(fmt::format("Error reading the body: {}", file.error().message()));
        body = std::move(*file);
      } else {
        body = arguments[1];
      }
    }
    std::string method = !method_.empty() ? method_ : arguments.size() == 2 ? "PUT" : "GET";
    std::vector<std::pair<std::string, std::string>> headers;
    for (const std::string& header : headers_) {
      const auto [name, value] = split_once(header, ':');
      headers.emplace_back(trim(name), trim(value));
    }
    if (!filter_.empty()) target += fmt::format("{}filter={}", target.find('?') == std::string::npos ? "?" : "&", escape(filter_));
    if (dry_run_) {
      std::string line = "curl";
      if (!method_.empty()) line += " \\\n  -X " + method_;
      if (!body.empty()) line += " \\\n  --data-binary @-";
      for (const auto& [name, value] : headers) line += fmt::format(" \\\n  -H '{}: {}'", name, value);
      context.ui.out(fmt::format("{} \\\n  {}{}", line, context.api().address(), target));
      return 0;
    }
    if (verbose_) context.ui.error(fmt::format("> {} {} HTTP/1.1", method, target));
    auto answer = context.api().raw(std::move(method), std::move(target), std::move(body), std::move(headers));
    if (!answer) return context.failed(fmt::format("Error performing request: {}", answer.error().message()));
    if (verbose_) context.ui.error(fmt::format("< HTTP/1.1 {}\n< X-Nomad-Index: {}", answer->status, answer->index));
    context.ui.out_raw(answer->body);
    return 0;
  }

 private:
  bool dry_run_ = false, verbose_ = false;
  std::string filter_, method_;
  std::vector<std::string> headers_;
};

class ServerMembers final : public Command {
 public:
  void flags(FlagSet& set) override {
    set.boolean("detailed", detailed_, "Show every column.");
    set.boolean("verbose", verbose_, "Show every column.");
    set.boolean("ui", ui_, "Open the list in the user interface.");
    output_.flags(set);
  }
  int run(Context& context, const std::vector<std::string>& arguments) override {
    if (!arguments.empty()) return context.usage_error("This command takes no arguments");
    auto members = context.api().read<model::ServerMembers>("/v1/agent/members");
    if (!members) return context.failed(fmt::format("Error querying servers: {}", members.error().message()));
    if (members->members.empty()) {
      context.ui.out("Agent doesn't know about server members");
      return 0;
    }
    auto leader = context.api().get("/v1/status/leader");
    std::string leader_address = leader ? leader->body : "";
    leader_address = replace_all(leader_address, "\"", "");
    std::vector<std::vector<std::string>> rows{{"Name", "Address", "Port", "Status", "Leader", "Raft Version", "Build", "Datacenter", "Region"}};
    if (verbose_ || detailed_) rows[0] = {"Name", "Address", "Port", "Status", "Leader", "Protocol", "Raft Version", "Build", "Datacenter", "Region", "Tags"};
    for (auto& member : members->members) {
      const auto tag = [&](const char* name) { return member.tags.contains(name) ? *member.tags.get(name) : std::string(); };
      const bool leads = fmt::format("{}:{}", tag("rpc_addr").empty() ? member.addr : tag("rpc_addr"), tag("port")) == leader_address;
      member.tags["Leader"] = leads ? "true" : "false";
      std::vector<std::string> row{member.name, member.addr, std::to_string(member.port), member.status, leads ? "true" : "false"};
      if (verbose_ || detailed_) row.push_back(std::to_string(member.protocol_cur));
      row.insert(row.end(), {tag("raft_vsn"), tag("build"), tag("dc"), tag("region")});
      if (verbose_ || detailed_) {
        std::vector<std::string> tags;
        for (const auto& [key, value] : member.tags) tags.push_back(key + "=" + value);
        row.push_back(join(tags, ","));
      }
      rows.push_back(std::move(row));
    }
    if (output_.wanted()) {
      return write_formatted(context, output_, client_value(members->members));
    }
    context.ui.out(format_table(rows, true));
    if (leader_address.empty()) return context.failed("Error determining leaders: 1 error occurred:\n\t* Region \"global\": No cluster leader");
    context.ui_hint("View and manage Nomad servers", "/servers");
    return 0;
  }

 private:
  OutputOptions output_;
  bool detailed_ = false, verbose_ = false, ui_ = false;
};

class SystemCommand final : public Command {
 public:
  SystemCommand(const char* path, const char* what) : path_(path), what_(what) {}
  void flags(FlagSet&) override {}
  int run(Context& context, const std::vector<std::string>& arguments) override {
    if (!arguments.empty()) {
      context.usage_error("This command takes no arguments");
      return 0;
    }
    auto answer = context.api().put(path_, "");
    return answer ? 0 : context.failed(fmt::format("Error {}: {}", what_, answer.error().message()));
  }

 private:
  const char* path_;
  const char* what_;
};

class Status final : public Command {
 public:
  void flags(FlagSet& set) override {
    set.boolean("verbose", verbose_, "Show whole ids.");
    set.boolean("ui", ui_, "Open the object in the user interface.");
    output_.flags(set);
  }
  int run(Context& context, const std::vector<std::string>& arguments) override {
    if (arguments.size() > 1) return context.usage_error("This command takes either no arguments or one: <identifier>");
    std::unique_ptr<Command> command = make_job_status();
    if (!arguments.empty()) {
      auto found = resolve(context, arguments[0]);
      if (!found) return 1;
      command = std::move(found);
    }
    FlagSet flags;
    command->flags(flags);
    std::vector<std::string> words;
    if (verbose_) words.emplace_back("-verbose");
    if (output_.json) words.emplace_back("-json");
    if (!output_.format.empty()) words.insert(words.end(), {"-t", output_.format});
    if (auto parsed = flags.parse(words); !parsed) return context.failed(parsed.error().message());
    return command->run(context, arguments);
  }

 private:
  // The command for the only kind of object whose id starts so; an exact job id decides.
  static std::unique_ptr<Command> resolve(Context& context, const std::string& id) {
    struct Kind {
      const char* name;
      const char* path;
      std::unique_ptr<Command> (*make)();
    };
    static constexpr Kind kinds[] = {{"jobs", "/v1/jobs", make_job_status}, {"nodes", "/v1/nodes", make_node_status},
                                     {"allocs", "/v1/allocations", make_alloc_status}, {"evals", "/v1/evaluations", make_eval_status}};
    std::string listing;
    const Kind* found = nullptr;
    std::size_t matches = 0;
    for (const Kind& kind : kinds) {
      std::string prefix = id;
      const bool is_job = kind.make == make_job_status;
      if (!is_job && std::count_if(prefix.begin(), prefix.end(), [](char c) { return c != '-'; }) % 2 != 0) prefix.pop_back();
      if (prefix.empty()) continue;
      auto answer = context.api().get(kind.path, {{"prefix", prefix}});
      if (!answer) continue;
      const auto list = nlohmann::json::parse(answer->body, nullptr, false);
      if (!list.is_array() || list.empty()) continue;
      listing += fmt::format("\n{}\n", kind.name);
      for (const auto& item : list) {
        const std::string name = item.value("ID", "");
        if (is_job && name == id) return kind.make();
        listing += name + "\n";
      }
      matches += list.size();
      found = &kind;
    }
    if (matches == 1) return found->make();
    context.ui.error(matches == 0 ? fmt::format("Unable to resolve ID: \"{}\"", id) : fmt::format("Multiple matches found for id \"{}\"\n{}", id, listing));
    return nullptr;
  }

  OutputOptions output_;
  bool verbose_ = false, ui_ = false;
};

class Version final : public Command {
 public:
  void flags(FlagSet&) override {}
  int run(Context& context, const std::vector<std::string>&) override {
    context.ui.out(context.ui.is_nomad() ? fmt::format("Nomad v{}", compatible_version) : fmt::format("Drover v{}", drover_version));
    return 0;
  }
};
}  // namespace

std::unique_ptr<Command> make_agent_info() { return std::make_unique<AgentInfo>(); }
std::unique_ptr<Command> make_operator_api() { return std::make_unique<OperatorApi>(); }
std::unique_ptr<Command> make_server_members() { return std::make_unique<ServerMembers>(); }
std::unique_ptr<Command> make_system_gc() { return std::make_unique<SystemCommand>("/v1/system/gc", "running system garbage-collection"); }
std::unique_ptr<Command> make_system_reconcile() { return std::make_unique<SystemCommand>("/v1/system/reconcile/summaries", "running system summary reconciliation"); }
std::unique_ptr<Command> make_status() { return std::make_unique<Status>(); }
std::unique_ptr<Command> make_version() { return std::make_unique<Version>(); }

}  // namespace drover::cli
