#include "lib/model/reflect.inc.h"
#include "lib/model/alloc.h"
#include "lib/model/eval.h"
#include "lib/model/deployment.h"
#include "lib/model/plan.h"
#include "lib/model/service_registration.h"
#include "lib/model/event.h"

using namespace drover::model;

DROVER_MODEL_FIELDS(Allocation)
DROVER_MODEL_FIELDS(AllocMetric)
DROVER_MODEL_FIELDS(Deployment)
DROVER_MODEL_FIELDS(Evaluation)

DROVER_MODEL_CODEC(Allocation)
DROVER_MODEL_CODEC(AllocListStub)
DROVER_MODEL_CODEC(AllocMetric)
DROVER_MODEL_CODEC(TaskState)
DROVER_MODEL_CODEC(TaskEvent)
DROVER_MODEL_CODEC(AllocDeploymentStatus)
DROVER_MODEL_CODEC(RescheduleTracker)
DROVER_MODEL_CODEC(Evaluation)
DROVER_MODEL_CODEC(EvaluationStub)
DROVER_MODEL_CODEC(Deployment)
DROVER_MODEL_CODEC(List<Deployment>)
DROVER_MODEL_CODEC(Plan)
DROVER_MODEL_CODEC(PlanResult)
DROVER_MODEL_CODEC(PlanAnnotations)
DROVER_MODEL_CODEC(ServiceRegistration)
DROVER_MODEL_CODEC(ServiceRegistrationStub)
DROVER_MODEL_CODEC(ServiceRegistrationListStub)
DROVER_MODEL_CODEC(ServiceRegistrationStreamEvent)
DROVER_MODEL_CODEC(AllocationEvent)
DROVER_MODEL_CODEC(DeploymentEvent)
DROVER_MODEL_CODEC(EvaluationEvent)
DROVER_MODEL_CODEC(Event)
DROVER_MODEL_CODEC(HostVolumeEvent)
DROVER_MODEL_CODEC(JobEvent)
DROVER_MODEL_CODEC(NodePoolEvent)
DROVER_MODEL_CODEC(NodeStreamEvent)
DROVER_MODEL_CODEC(VariableEvent)
DROVER_MODEL_CODEC(List<AllocListStub>)
DROVER_MODEL_CODEC(List<std::shared_ptr<const Allocation>>)
DROVER_MODEL_CODEC(List<Evaluation>)
DROVER_MODEL_CODEC(List<EvaluationStub>)
