#include "lib/lsp/server.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

using namespace drover;
using namespace drover::lsp;
using nlohmann::json;

namespace {
constexpr const char* uri = "file:///jobs/a.nomad.hcl";

struct Session {
  Server server;
  int next = 1;
  explicit Session(bool begin = true, bool snippets = false)
      : server({.version = "1", .schemas = {{"raw_exec", plugin::object({{"command", plugin::attr("command", "string", true)}, {"args", plugin::attr("args", "list(string)")},
                                                                        {"mount", plugin::block_list("mount", plugin::object({{"type", plugin::attr("type", "string")}}))}})}}, .verdict = {}}) {
    if (begin) call("initialize", {{"capabilities", {{"textDocument", {{"completion", {{"completionItem", {{"snippetSupport", snippets}}}}}}}}}});
  }
  json send(const json& message) {
    const auto out = server.handle(message.dump(-1, ' ', false, json::error_handler_t::replace));
    return out.empty() ? json() : json::parse(out.front());
  }
  json call(const std::string& method, const json& params) { return send({{"jsonrpc", "2.0"}, {"id", next++}, {"method", method}, {"params", params}}); }
  json tell(const std::string& method, const json& params) { return send({{"jsonrpc", "2.0"}, {"method", method}, {"params", params}}); }
  json open(const std::string& text) {
    tell("textDocument/didOpen", {{"textDocument", {{"uri", uri}, {"languageId", "hcl"}, {"version", 1}, {"text", text}}}});
    const auto out = server.publish();
    REQUIRE(out.size() == 1);
    return json::parse(out[0])["params"];
  }
  // A request about the mark | of a text.
  json ask(const std::string& method, std::string text) {
    const std::size_t mark = text.find('|');
    text.erase(mark, 1);
    open(text);
    return call(method, {{"textDocument", {{"uri", uri}}}, {"position", write_position(text, mark)}})["result"];
  }
  // Labels of the completion, divided by blanks.
  std::string labels(const std::string& text) {
    std::string out;
    const json result = ask("textDocument/completion", text);
    for (const json& item : result["items"]) out += (out.empty() ? "" : " ") + item["label"].get<std::string>();
    return out;
  }
  std::string hover(const std::string& text) {
    const json result = ask("textDocument/hover", text);
    return result.is_null() ? "" : result["contents"]["value"].get<std::string>();
  }
};

bool has(const std::string& labels, const std::string& label) { return (" " + labels + " ").find(" " + label + " ") != std::string::npos; }
int error_of(const json& answer) { return answer.value("/error/code"_json_pointer, 0); }
const std::string task = "job \"j\" {\n  group \"g\" {\n    task \"t\" {\n      driver = \"raw_exec\"\n      config {\n        @\n      }\n    }\n  }\n}\n";
std::string in_config(const std::string& text) {
  std::string out = task;
  return out.replace(out.find('@'), 1, text);
}
}  // namespace

TEST_CASE("lsp: a session begins, ends, and says what it can") {
  Session session(false);
  CHECK(error_of(session.call("textDocument/hover", {})) == -32002);
  const json result = session.call("initialize", json::object())["result"];
  CHECK(result["capabilities"]["hoverProvider"] == true);
  CHECK(result["capabilities"]["textDocumentSync"]["change"] == 2);
  CHECK(result["serverInfo"]["name"] == "drover");
  CHECK(error_of(session.call("initialize", json::object())) == -32600);
  CHECK(session.tell("initialized", json::object()).is_null());
  CHECK(session.call("shutdown", nullptr)["result"].is_null());
  CHECK(error_of(session.call("textDocument/hover", {})) == -32600);
  CHECK_FALSE(session.server.ended());
  session.tell("exit", nullptr);
  CHECK(session.server.ended());
  CHECK(session.server.exit_code() == 0);
  Session rude;
  rude.tell("exit", nullptr);
  CHECK(rude.server.exit_code() == 1);
}

TEST_CASE("lsp: messages that are none get an answer and change nothing") {
  Session session;
  const auto raw = [&](const char* text) { return json::parse(session.server.handle(text).at(0)); };
  CHECK(error_of(raw("{")) == -32700);
  CHECK(error_of(raw("\xff\xfe")) == -32700);
  CHECK(error_of(raw("[]")) == -32600);
  CHECK(error_of(raw("{}")) == -32600);
  CHECK(error_of(raw(R"({"jsonrpc":"2.0","id":{},"method":"x"})")) == -32600);
  CHECK(error_of(raw(R"({"jsonrpc":"2.0","id":1})")) == -32600);
  CHECK(session.server.handle(R"({"jsonrpc":"2.0","id":1,"result":null})").empty());
  CHECK(error_of(session.call("no/such", {})) == -32601);
  CHECK(error_of(session.call("textDocument/hover", {{"textDocument", {{"uri", "file:///other"}}}})) == -32602);
  session.open("job \"a\" {}\n");
  CHECK(error_of(session.call("textDocument/hover", {{"textDocument", {{"uri", uri}}}, {"position", {{"line", -1}, {"character", 0}}}})) == -32602);
  CHECK(error_of(session.call("textDocument/completion", {{"textDocument", {{"uri", uri}}}, {"position", 7}})) == -32602);
  CHECK(session.tell("textDocument/didChange", {{"textDocument", {{"uri", uri}}}, {"contentChanges", {{{"text", "x"}}, {{"bad", 1}}}}})["method"] == "window/logMessage");
  CHECK(session.server.publish().empty());
  CHECK(session.tell("textDocument/didOpen", 5)["method"] == "window/logMessage");
  CHECK(session.tell("$/cancelRequest", {{"id", 1}}).is_null());
}

TEST_CASE("lsp: diagnostics of a change carry its version, and closing clears them") {
  Session session;
  json published = session.open("job \"a\" {\n  tsk \"\xf0\x9f\x90\x82\" {}\n}\n");
  REQUIRE(published["diagnostics"].size() == 1);
  const json& one = published["diagnostics"][0];
  CHECK(one["range"] == json{{"start", {{"line", 1}, {"character", 2}}}, {"end", {{"line", 1}, {"character", 5}}}});
  CHECK(one["severity"] == 1);
  CHECK(one["code"] == "parse");
  CHECK(one["message"].get<std::string>().find("Did you mean \"task\"?") != std::string::npos);
  session.tell("textDocument/didChange", {{"textDocument", {{"uri", uri}, {"version", 2}}},
               {"contentChanges", {{{"range", {{"start", {{"line", 1}, {"character", 2}}}, {"end", {{"line", 1}, {"character", 5}}}}}, {"text", "task"}}}}});
  published = json::parse(session.server.publish().at(0))["params"];
  CHECK(published["version"] == 2);
  CHECK(published["diagnostics"][0]["code"] == "DL001");
  CHECK(published["diagnostics"][0]["severity"] == 2);
  session.tell("textDocument/didClose", {{"textDocument", {{"uri", uri}}}});
  published = json::parse(session.server.publish().at(0))["params"];
  CHECK(published["diagnostics"].empty());
  CHECK(session.server.publish().empty());
}

TEST_CASE("lsp: variables without a value are no mistake, undeclared ones are") {
  Session session;
  const auto messages = [&](const std::string& text) {
    std::string out;
    const json published = session.open(text);
    for (const json& one : published["diagnostics"]) out += one["code"].get<std::string>() + ": " + one["message"].get<std::string>() + "\n";
    return out;
  };
  const std::string job = "job \"a\" {\n  datacenters = var.d\n  priority = var.p\n  group \"g\" {\n    task \"t\" {\n      driver = var.n\n      resources {\n        cpu    = 1\n        memory = 1\n      }\n    }\n  }\n}\n";
  CHECK(messages("variable \"d\" {\n  type = list(string)\n}\nvariable \"p\" {\n  type = number\n}\nvariable \"n\" {}\n" + job) == "");
  CHECK(messages("variable \"d\" {\n  type = list(string)\n}\nvariable \"n\" {}\n" + job).starts_with("parse: "));
  CHECK(messages("") == "");
  const std::string both = messages("locals {\n  a = nosuch(1)\n}\njob \"a\" {\n  gruop \"g\" {}\n}\n");
  CHECK(both.find("nosuch") != std::string::npos);
  CHECK(both.find("Did you mean \"group\"?") != std::string::npos);
}

TEST_CASE("lsp: options of drivers are checked at their lines") {
  Session session;
  const json published = session.open(in_config("comand = \"x\""));
  std::string codes;
  for (const json& one : published["diagnostics"]) codes += one["code"].get<std::string>() + "@" + std::to_string(one["range"]["start"]["line"].get<int>()) + " ";
  CHECK(codes.find("driver-config@4 ") != std::string::npos);  // command is missing
  CHECK(codes.find("driver-config@5 ") != std::string::npos);
}

TEST_CASE("lsp: completion of blocks, attributes, options of drivers") {
  Session session;
  CHECK(session.labels("|") == "job variable locals variables");
  std::string labels = session.labels("job \"a\" {\n  type = \"batch\"\n  |\n}\n");
  CHECK(has(labels, "group"));
  CHECK(has(labels, "priority"));
  CHECK_FALSE(has(labels, "type"));  // there already
  CHECK(has(session.labels("job \"a\" {\n  group \"g\" {\n    res|\n"), "restart"));
  CHECK(session.labels(in_config("|")) == "args command mount");
  CHECK(session.labels(in_config("mount {\n|\n}")) == "type");
  CHECK(has(session.labels("job \"a\" {\n  group \"g\" {\n    dynamic \"task\" {\n      content {\n        |\n      }\n    }\n  }\n}\n"), "driver"));
  CHECK(session.labels("job \"a\" {\n  # |\n") == "");
}

TEST_CASE("lsp: completion of values, drivers, variables, functions") {
  Session session;
  CHECK(session.labels("job \"a\" {\n  type = \"|\"\n}\n") == "service batch system sysbatch");
  CHECK(has(session.labels("job \"a\" {\n  type = |\n}\n"), "\"batch\""));
  CHECK(has(session.labels("job \"a\" {\n  group \"g\" {\n    task \"t\" {\n      driver = \"|\"\n"), "raw_exec"));
  CHECK(has(session.labels("job \"a\" {\n  all_at_once = |\n}\n"), "true"));
  const std::string names = session.labels("variable \"count\" {}\nlocals {\n  zone = 1\n}\njob \"a\" {\n  name = |\n}\n");
  CHECK(has(names, "var.count"));
  CHECK(has(names, "local.zone"));
  CHECK(has(names, "format"));
  CHECK_FALSE(has(names, "NOMAD_ALLOC_ID"));
  CHECK(has(session.labels("job \"a\" {\n  name = \"${|}\"\n}\n"), "NOMAD_ALLOC_ID"));
  const json item = session.ask("textDocument/completion", "variable \"count\" {}\njob \"a\" {\n  name = var.co|\n}\n")["items"][0];
  CHECK(item["textEdit"]["newText"] == "var.count");
  CHECK(item["textEdit"]["range"]["start"]["character"] == 9);
}

TEST_CASE("lsp: snippets only for editors that know them") {
  const auto text = [](bool snippets) {
    Session session(true, snippets);
    const json items = session.ask("textDocument/completion", "job \"a\" {\n  group|\n}\n")["items"];
    for (const json& item : items) {
      if (item["label"] == "group") return item;
    }
    return json();
  };
  CHECK(text(true)["textEdit"]["newText"] == "group \"$1\" {\n  $0\n}");
  CHECK(text(true)["insertTextFormat"] == 2);
  CHECK(text(false)["textEdit"]["newText"] == "group \"\" {\n}");
  CHECK_FALSE(text(false).contains("insertTextFormat"));
}

TEST_CASE("lsp: hover of names of the reference, of drivers, functions, variables") {
  Session session;
  CHECK(session.hover("job \"a\" {\n  ty|pe = \"batch\"\n}\n") == "**type**: text\n\nOne of `service`, `batch`, `system`, `sysbatch`\n\nIn the API: `Type`");
  CHECK(session.hover("job \"a\" {\n  gro|up \"g\" {}\n}\n").starts_with("**group**: block"));
  CHECK(session.hover(in_config("comm|and = \"x\"")).starts_with("**command**: string, required"));
  CHECK(session.hover("job \"a\" {\n  name = form|at(\"x\")\n}\n").starts_with("`format("));
  CHECK(session.hover("variable \"n\" {\n  description = \"how many\"\n}\njob \"a\" {\n  name = var.|n\n}\n") == "`var.n`: variable of this file\n\nhow many");
  CHECK(session.hover("job \"a\" {\n  name = \"${node.data|center}\"\n}\n").find("datacenter of the node") != std::string::npos);
  CHECK(session.hover("job \"a\" {\n  nothing_known| = 1\n}\n") == "");
  CHECK(session.hover("job \"a\" { |  }\n") == "");
}

TEST_CASE("lsp: formatting replaces the whole text, or nothing") {
  Session session;
  const auto format = [&](const std::string& text) {
    session.open(text);
    return session.call("textDocument/formatting", {{"textDocument", {{"uri", uri}}}, {"options", {{"tabSize", 2}}}})["result"];
  };
  const json edits = format("job \"a\" {\nx=1\n}\n");
  REQUIRE(edits.size() == 1);
  CHECK(edits[0]["newText"] == "job \"a\" {\n  x = 1\n}\n");
  CHECK(edits[0]["range"] == json{{"start", {{"line", 0}, {"character", 0}}}, {"end", {{"line", 3}, {"character", 0}}}});
  CHECK(format("job \"a\" {\n}\n").empty());
  CHECK(format("job \"a\" {\n").is_null());
}

TEST_CASE("lsp: a session survives any edit of any file") {
  std::uint32_t state = 1;
  const auto random = [&](std::uint32_t below) {
    state = state * 1664525U + 1013904223U;
    return (state >> 8U) % below;
  };
  Session session;
  session.open(in_config("command = \"${NOMAD_TASK_DIR}/x\""));
  static const char* pieces[] = {"{", "}", "\"", "${", "%{ if", "\n", "<<EOF\n", "EOF\n", "[", ")", "var.", "= ", "\xff", "\xf0\x9f\x90\x82", "dynamic \"task\" {", "/*", "# drover:lint-ignore"};
  for (int round = 0; round < 400; round++) {
    const json start{{"line", random(14)}, {"character", random(40)}};
    json end = start;
    if (random(3) == 0) end["character"] = start["character"].get<int>() + static_cast<int>(random(8));
    session.tell("textDocument/didChange", {{"textDocument", {{"uri", uri}}}, {"contentChanges", {{{"range", {{"start", start}, {"end", end}}}, {"text", pieces[random(std::size(pieces))]}}}}});
    CHECK(session.server.publish().size() == 1);
    const json params{{"textDocument", {{"uri", uri}}}, {"position", start}};
    CHECK(session.call("textDocument/completion", params).contains("result"));
    CHECK(session.call("textDocument/hover", params).contains("result"));
    CHECK(session.call("textDocument/formatting", params).contains("result"));
    if (round % 50 == 0) session.open(in_config("command = \"x\""));
  }
}

TEST_CASE("lsp: every position of a file has an answer") {
  Session session;
  const std::string text = in_config("command = \"${NOMAD_TASK_DIR}/x\" # \xc3\xa9\xf0\x9f\x90\x82");
  session.open(text);
  for (std::size_t byte = 0; byte <= text.size(); byte++) {
    const json params{{"textDocument", {{"uri", uri}}}, {"position", write_position(text, byte)}};
    CHECK(session.call("textDocument/completion", params).contains("result"));
    CHECK(session.call("textDocument/hover", params).contains("result"));
  }
}
