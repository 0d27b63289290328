#include "lib/model/reflect.inc.h"
#include "lib/model/job.h"
#include "lib/model/task.h"
#include "lib/model/task_group.h"
#include "lib/model/job_summary.h"
#include "lib/model/diff.h"

using namespace drover::model;

DROVER_MODEL_FIELDS(Job)
DROVER_MODEL_FIELDS(TaskGroup)
DROVER_MODEL_FIELDS(Task)
DROVER_MODEL_FIELDS(Service)

DROVER_MODEL_CODEC(Job)
DROVER_MODEL_CODEC(JobSubmission)
DROVER_MODEL_CODEC(JobSummary)
DROVER_MODEL_CODEC(JobListStub)
DROVER_MODEL_CODEC(TaskGroup)
DROVER_MODEL_CODEC(Task)
DROVER_MODEL_CODEC(JobDiff)
DROVER_MODEL_CODEC(List<JobListStub>)
DROVER_MODEL_CODEC(List<std::shared_ptr<const Job>>)
DROVER_MODEL_CODEC(List<JobSubmission>)
