#include "lib/model/api_why.h"
#include "lib/model/reflect.inc.h"
#include "lib/model/rpc.h"

using namespace drover::model;

DROVER_MODEL_CODEC(WhyReason)
DROVER_MODEL_CODEC(WhyNode)
DROVER_MODEL_CODEC(WhyCount)
DROVER_MODEL_CODEC(WhyChange)
DROVER_MODEL_CODEC(WhyGroup)
DROVER_MODEL_CODEC(JobWhy)
DROVER_MODEL_CODEC(ObjectReply<JobWhy>)
