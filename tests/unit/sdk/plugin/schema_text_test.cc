#include "sdk/plugin/schema_text.h"

#include <doctest/doctest.h>

using namespace drover::plugin;

TEST_CASE("schema text: a config block as one would write it, with what each line means") {
  const Spec schema = object({{"command", attr("command", "string", true)},
                              {"args", attr("", "list(string)")},
                              {"mode", default_value(attr("mode", "string"), "\"host\"")},
                              {"fixed", literal("5")},
                              {"mount", block_list("mount", object({{"target", attr("target", "string", true)}}), 1, 3)},
                              {"labels", block_attrs("labels", "string")},
                              {"auth", block("auth", object({{"user", attr("user", "string")}}))},
                              {"disk", block_map("disk", {"name"}, object({{"size", attr("size", "number")}}))}});
  CHECK(schema_text(schema, "  ") ==
        "  args = list(string)\n"
        "  auth {\n"
        "    user = string\n"
        "  }\n"
        "  command = string   # required\n"
        "  disk \"<name>\" {    # any number, each with labels of its own\n"
        "    size = number\n"
        "  }\n"
        "  labels {\n"
        "    <name> = string  # any number of them\n"
        "  }\n"
        "  mode = string      # default: \"host\"\n"
        "  mount {            # 1 to 3\n"
        "    target = string  # required\n"
        "  }\n");
  CHECK(schema_text(Spec()).empty());
  CHECK(schema_text(attr("a\nb\x1b", "string")) == "a b  = string\n");
}
