#include "lib/model/reflect.inc.h"
#include "lib/model/relay.h"

using namespace drover::model;

DROVER_MODEL_CODEC(NodeConnectRequest)
DROVER_MODEL_CODEC(NodeSessionOffer)
DROVER_MODEL_CODEC(NodeSessionRequest)
DROVER_MODEL_CODEC(HttpRelayRequest)
DROVER_MODEL_CODEC(HttpRelayHead)
DROVER_MODEL_CODEC(HttpRelayPart)
DROVER_MODEL_CODEC(HttpRelayFrame)
