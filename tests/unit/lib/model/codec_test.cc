#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "lib/model/alloc.h"
#include "lib/model/codec.h"
#include "lib/model/job.h"
#include "lib/model/json_complaint.h"
#include "lib/model/json_text.h"
#include "lib/model/msgpack.h"
#include "lib/model/rpc.h"

using namespace drover;
using namespace drover::model;

namespace {
Job sample() {
  Job job;
  job.id = "web";
  job.name = "web <&>";
  job.datacenters = {"dc1"};
  job.meta["k"] = "v\n\xff";
  job.payload = Bytes("hi");
  TaskGroup group;
  group.name = "g";
  group.count = 3;
  group.shutdown_delay = Duration(5);
  Task task;
  task.name = "t";
  task.config = Any(Json::parse(R"({"command":"/bin/true","args":[1,2.5,null]})"));
  task.env.allocate();
  task.resources.ensure().cpu = 100;
  group.tasks.push_back(task);
  job.task_groups.push_back(group);
  return job;
}
}  // namespace

TEST_CASE("json: null, [] and {} are kept apart and names are Go's") {
  const Json json = Json::parse(to_json(sample()));
  CHECK(json["ID"] == "web");
  CHECK(json["Constraints"].is_null());
  CHECK(json["Payload"] == "aGk=");
  CHECK(json["Meta"]["k"] == "v\n\xef\xbf\xbd");
  CHECK(json["TaskGroups"][0]["ShutdownDelay"] == 5);
  CHECK(json["TaskGroups"][0]["Tasks"][0]["Env"].is_object());
  CHECK(json["TaskGroups"][0]["Tasks"][0]["Meta"].is_null());
  CHECK(json["TaskGroups"][0]["Tasks"][0]["Config"]["args"][2].is_null());
  CHECK(to_json(sample()).find("web <&>") != std::string::npos);
}

TEST_CASE("json: round trip, any case of names, unknown members ignored") {
  Job job;
  REQUIRE(from_json(std::string_view(R"({"id":"x","TASKGROUPS":[{"name":"g","Count":2}],"Nope":1,"SubmitTime":18446})"), job));
  CHECK(job.id == "x");
  CHECK(job.task_groups[0].count == 2);
  Job copy;
  REQUIRE(from_json(to_json(job), copy));
  CHECK(copy == job);
}

TEST_CASE("json: a wrong type names the field") {
  Job job;
  const auto wrong = from_json(std::string_view(R"({"TaskGroups":[{"Count":"two"}]})"), job);
  REQUIRE(!wrong);
  CHECK(wrong.error().message() == "TaskGroups.Count: expected an integer, found string");
}

TEST_CASE("json: Allocation leaves out every zero field") {
  Allocation alloc;
  alloc.id = "a";
  alloc.task_states.allocate();
  CHECK(to_json(alloc) == R"({"ID":"a"})");
}

TEST_CASE("msgpack: round trip keeps nil and empty apart") {
  const Job job = sample();
  Job copy;
  REQUIRE(from_msgpack(to_msgpack(job), copy));
  CHECK(copy.meta == job.meta);
  CHECK(to_json(copy) == to_json(job));
  CHECK(copy.task_groups[0].tasks[0].env.is_nil() == false);
}

TEST_CASE("msgpack: fields of a newer writer are skipped, in any order") {
  std::string bytes;
  msgpack::Writer writer(bytes);
  writer.map(4);
  writer.string("Future");
  writer.array(2);
  writer.map(1);
  writer.string("x");
  writer.number(std::int64_t{-70000});
  writer.binary("zz");
  writer.string("Priority");
  writer.number(std::uint64_t{50});
  writer.string("ID");
  writer.string("late");
  writer.string("AllAtOnce");
  writer.boolean(true);
  Job job;
  REQUIRE(from_msgpack(bytes, job));
  CHECK(job.id == "late");
  CHECK(job.priority == 50);
  CHECK(job.all_at_once);
}

TEST_CASE("msgpack: cut or hostile bytes are refused") {
  const std::string bytes = to_msgpack(sample());
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    Job job;
    CHECK(!from_msgpack(std::string_view(bytes).substr(0, size), job));
  }
  Job job;
  CHECK(!from_msgpack(std::string_view("\xdf\xff\xff\xff\xff", 5), job));
  CHECK(!from_msgpack(std::string(1000, '\x91'), job));
}

TEST_CASE("msgpack: requests carry their query options and shared objects") {
  NodeClientAllocsReply reply;
  reply.index = 7;
  auto alloc = std::make_shared<Allocation>();
  alloc->id = "a";
  alloc->job = std::make_shared<const Job>(sample());
  reply.changed.push_back(alloc);
  NodeClientAllocsReply copy;
  REQUIRE(from_msgpack(to_msgpack(reply), copy));
  CHECK(copy.index == 7);
  CHECK(copy.changed[0]->job->id == "web");
}

TEST_CASE("json: texts are read as the library reads them, and what it refuses is refused") {
  const std::string deep(9999, '[');
  for (const std::string& text :
       {std::string(R"({"a":[1,-2,0,-0,1.5,1e3,1E-3,18446744073709551615,-9223372036854775808,18446744073709551616,1e-999],"b":{},"c":[]})"),
        std::string(R"( { "k" : "plain" , "k2":"\"\\\/\b\f\n\r\t" , "u":"\u0041\u00e9\u20ac\ud83d\ude00", "utf":"é€😀" } )"),
        std::string(R"({"twice":1,"other":2,"twice":{"x":true}})"), std::string("[true,false,null]"), std::string("\"\""), std::string("7"),
        std::string(""), std::string("  "), std::string("{"), std::string("[1,]"), std::string("{\"a\":1,}"), std::string("{\"a\" 1}"),
        std::string("01"), std::string("1."), std::string("-"), std::string("1e"), std::string("1e999"), std::string("tru"), std::string("nul"),
        std::string("\"a"), std::string("\"\\x\""), std::string("\"\\u12g4\""), std::string("\"\\ud800\""), std::string("\"\\udc00\""),
        std::string("\"\\ud800\\u0041\""), std::string("\"\n\""), std::string("\"\xff\""), std::string("\"\xc3\""), std::string("{} x"),
        std::string("[1] [2]"), deep, deep + std::string(9999, ']')}) {
    CAPTURE(text);
    const Json expected = Json::parse(text, nullptr, false);
    Json found;
    const std::string complaint = parse_json(text, found);
    CHECK(complaint.empty() == !expected.is_discarded());
    if (complaint.empty()) CHECK(found == expected);
  }
}

TEST_CASE("json: what is wrong is said in Go's words") {
  Json ignored;
  CHECK(parse_json("", ignored) == "EOF");
  CHECK(parse_json("{\"a\":", ignored) == "unexpected EOF");
  CHECK(parse_json("{\"a\" 1}", ignored) == "invalid character '1' after object key");
  CHECK(parse_json("\"\\x\"", ignored) == "invalid character 'x' in string escape code");
  CHECK(parse_json("{} x", ignored) == "invalid JSON");
  CHECK(parse_json("\"\xff\"", ignored) == "invalid JSON");
  CHECK(parse_json(std::string(10001, '['), ignored) == "exceeded max depth");
}

TEST_CASE("json: a character that is escaped is, wherever it stands") {
  const std::pair<std::string, std::string> cases[] = {{"\"", "\\\""}, {"\\", "\\\\"}, {"\n", "\\n"}, {"\x01", "\\u0001"}, {"\x1f", "\\u001f"},
      {" ", " "}, {"!", "!"}, {"#", "#"}, {"[", "["}, {"\x7f", "\x7f"}, {"\u00e9", "\u00e9"}, {"\xff", "\\ufffd"}, {"\u2028", "\\u2028"}};
  for (const auto& [character, written] : cases) {
    for (std::size_t before = 0; before < 20; ++before) {
      for (const std::size_t after : {0, 1, 9}) {
        std::string out;
        append_json_string(out, std::string(before, 'a') + character + std::string(after, 'z'));
        CHECK(out == '"' + std::string(before, 'a') + written + std::string(after, 'z') + '"');
      }
    }
  }
}
