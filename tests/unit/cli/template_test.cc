#include <doctest/doctest.h>

#include "cli/output_options.h"
#include "lib/model/alloc.h"
#include "lib/model/job.h"
#include "lib/model/job_summary.h"

using namespace drover;
using namespace drover::cli;

namespace {
struct Shown {
  int code = 0;
  std::string out, err;
};

Shown show(const gotemplate::Value& value, const std::string& format, bool json = false) {
  Ui::Capture capture;
  Ui ui(&capture);
  Context context(ui);
  OutputOptions options;
  options.format = format;
  options.json = json;
  const int code = write_formatted(context, options, value);
  return {code, capture.out, capture.err};
}

model::Job job() {
  model::Job out;
  out.id = "web";
  out.datacenters = {"dc1", "dc2"};
  out.meta["team"] = "a";
  return out;
}
}  // namespace

TEST_CASE("-t: fields by the API's names, printed as Go prints them") {
  const auto value = client_value(job());
  CHECK(show(value, "{{.ID}} {{.Datacenters}} {{.Meta}} {{.Stop}}").out == "web [dc1 dc2] map[team:a] false\n");
  CHECK(show(value, "{{range .Datacenters}}{{.}};{{end}}").out == "dc1;dc2;\n");
  CHECK(show(value, "{{.Periodic}} {{len .TaskGroups}}").out == "<nil> 0\n");
}

TEST_CASE("-t: a list of stubs") {
  model::List<model::JobListStub> jobs;
  jobs.emplace_back().id = "a";
  jobs.emplace_back().id = "b";
  CHECK(show(client_value(jobs), "{{len .}}{{range $i, $job := .}} {{$i}}={{$job.ID}}{{end}}").out == "2 0=a 1=b\n");
}

TEST_CASE("-t: a field that is not there names the type") {
  const auto shown = show(client_value(job()), "{{.config.Region}}");
  CHECK(shown.code == 1);
  CHECK(shown.err == "Error formatting the data: template: :1:9: executing \"\" at <.config.Region>: can't evaluate field config in type *api.Job\n");
  CHECK(show(client_value(model::List<model::AllocListStub>{}), "{{.X}}").err.find("in type []*api.AllocationListStub") != std::string::npos);
}

TEST_CASE("-t: sprig functions under sprig_<name>") {
  const auto value = client_value(job());
  CHECK(show(value, "{{sprig_upper .ID}} {{sprig_join \",\" .Datacenters}} {{.Name | sprig_default \"none\"}}").out == "WEB dc1,dc2 none\n");
  CHECK(show(value, "{{sprig_toJson .Meta}} {{sprig_trunc 2 .ID}}").out == "{\"team\":\"a\"} we\n");
  CHECK(show(value, "{{upper .ID}}").err == "Error formatting the data: template: :1: function \"upper\" not defined\n");
}

TEST_CASE("-json and -t exclude each other") {
  const auto shown = show(client_value(job()), "x", true);
  CHECK(shown.code == 1);
  CHECK(shown.err == "Both json and template formatting are not allowed\n");
}

TEST_CASE("-json shows the client's type: every field, nil as null, and fields only the client has") {
  const std::string json = show(client_value(job()), "", true).out;
  for (const char* line : {"\"ID\": \"web\"", "\"Migrate\": null", "\"Reschedule\": null", "\"Constraints\": null", "\"AllAtOnce\": false", "\"SubmitTime\": 0"}) {
    CHECK_MESSAGE(json.find(line) != std::string::npos, line);
  }
  model::AllocListStub stub;
  stub.create_time = 5;
  const std::string allocs = show(client_value(model::List<model::AllocListStub>{stub}), "", true).out;
  CHECK(allocs.find("\"CreateTime\": 5") != std::string::npos);
  CHECK(allocs.find("DesiredTransition") == std::string::npos);
}
