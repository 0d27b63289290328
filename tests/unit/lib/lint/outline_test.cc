// Job files in JSON, of both forms, shown where the native syntax would be.
#include "lib/lint/outline.h"

#include "lib/lint/driver_config.h"
#include "lib/lint/locate.h"
#include "lib/lint/verdict.h"
#include "sdk/base/text.h"
#include "tests/unit/lib/lint/parsed.h"

using namespace drover;
using namespace drover::lint;

namespace {

constexpr const char* in_hcl = R"({
  "job": {
    "web": {
      "type": "servce",
      "group": {
        "front": {
          "count": 2,
          "network": [
            {
              "port": {
                "http": { "static": 80 },
                "admin": {}
              }
            }
          ],
          "task": {
            "nginx": {
              "driver": "raw_exec",
              "env": {
                "DB_PASSWORD": "hunter2"
              },
              "config": {
                "image": "nginx",
                "mount": [
                  { "type": "bind" },
                  { "typ": "bind" }
                ]
              }
            }
          }
        },
        "back": {
          "task": { "t": { "driver": "exec", "resources": { "cpu": 1, "memory": 1 } } }
        }
      }
    }
  }
}
)";

constexpr const char* in_api = R"({
  "Job": {
    "ID": "web",
    "type": "servce",
    "TaskGroups": [
      {
        "Name": "back",
        "Tasks": [{ "Name": "t" }]
      },
      {
        "Name": "front",
        "Count": 2,
        "Networks": [{
          "ReservedPorts": [
            { "Label": "http", "Value": 80 }
          ]
        }],
        "Volumes": {
          "data": {
            "Type": "hots"
          }
        },
        "Constraints": [
          { "LTarget": "${meta.a}",
            "Operand": "regexpp", "RTarget": "x" }
        ],
        "Tasks": [
          {
            "Driver": "raw_exec",
            "Name": "nginx",
            "Env": {
              "DB_PASSWORD": "hunter2"
            },
            "Config": {
              "mount": [
                { "typ": "bind" }
              ]
            },
            "Resources": {
              "CPU": 1, "MemoryMB": 1
            }
          }
        ]
      }
    ]
  }
}
)";

int line(const Spot& spot) { return spot.range() ? spot.range()->start.line : 0; }

}  // namespace

TEST_CASE("outline: the rules find their lines in HCL's JSON") {
  CHECK(brief(Parsed(replace_all(in_hcl, "servce", "service")).check()) == "DL005@11 DL001@17 DL002@18 DL003@20 DL006@23");
}

TEST_CASE("outline: options of drivers and the servers' complaints find theirs") {
  const Parsed parsed(in_hcl);
  const DriverSchemas schemas{{"raw_exec", plugin::object({{"image", plugin::attr("image", "string")},
                                                           {"mount", plugin::block_list("mount", plugin::object({{"type", plugin::attr("type", "string")}}))}})}};
  CHECK(brief(check_driver_config(parsed.job, "job.json", parsed.tree(), schemas)) == "driver-config@26");
  const auto verdict = place_verdict("2 errors occurred:\n\t* Invalid job type: \"servce\"\n\t* Task group front validation failed: 1 error occurred:\n\t* Task nginx validation failed: 1 error "
                                     "occurred:\n\t* Missing task resources\n\n\n\n\n\n", "job.json", parsed.tree());
  CHECK(brief(verdict) == "validate@4 validate@17");
  CHECK(verdict[0].detail.ends_with("Did you mean \"service\"?"));
}

TEST_CASE("outline: blocks of an array are told apart, and dynamic ones stand for what they make") {
  const Parsed parsed(R"({"job": {"j": {"group": {"g": {
    "service": [
      {"name": "a"},
      {"name": "b", "check": {"type": "tcp", "interval": "1s", "timeout": "1s"}},
      {"name": "c"}
    ],
    "dynamic": {
      "task": {
        "for_each": ["x"],
        "labels": ["${task.value}"],
        "content": {
          "driver": "raw_exec",
          "resources": {"cpu": 1, "memory": 1}
        }
      }
    }
  }}}}})");
  CHECK(brief(parsed.check()) == "DL004@3 DL004@5 DL002@12");
}

TEST_CASE("outline: the API's form, its names in any case") {
  const auto tree = outline_of_api(hcl::make_source("job.json", in_api));
  const Spot job = Spot(*tree).job();
  CHECK(line(job) == 3);
  CHECK(line(job.attribute("type")) == 4);
  const Spot group = job.group("front");
  CHECK(line(group) == 11);
  CHECK(line(group.attribute("count")) == 12);
  CHECK(line(group.block("network").block("port", "http")) == 15);
  CHECK(line(group.block("volume", "data").attribute("type")) == 20);
  CHECK(line(group.block("constraint").attribute("operator")) == 25);
  const Spot task = group.task("nginx");
  CHECK(line(task) == 30);
  CHECK(line(task.attribute("driver")) == 29);
  CHECK(line(task.member("env", "DB_PASSWORD")) == 32);
  CHECK(line(task.block("config").block("mount").attribute("typ")) == 36);
  CHECK(line(task.block("resources").attribute("memory")) == 40);
  CHECK(line(job.group("back").task("t")) == 8);
}

TEST_CASE("outline: the API's job alone, and texts that are none") {
  const auto tree = outline_of_api(hcl::make_source("job.json", "{\"ID\": \"web\",\n\"TaskGroups\": [{\"Name\": \"g\"}]}"));
  CHECK(line(Spot(*tree).job().group("g")) == 2);
  for (const char* text : {"", "{", "[]", "[{}]", "{}", "7", "{\"Job\": 7}", "{\"Job\": {\"TaskGroups\": 7}}", "{\"Job\": {\"TaskGroups\": [7, null]}}", "{\"Job\": {\"Name\": null}}"}) {
    CAPTURE(text);
    CHECK_FALSE(Spot(*outline_of_api(hcl::make_source("job.json", text))).job().group("g").exact());
    hcl::Diagnostics known;
    CHECK_FALSE(Spot(*outline(*hcl::parse_json(hcl::make_source("job.json", text), known))).job().group("g").exact());
  }
}
