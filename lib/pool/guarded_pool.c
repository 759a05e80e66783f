#include "guarded_pool.h"

#include "policy.h"
#include "sample.h"

bool sg_guarded_serves(size_t bytes, size_t alignment)
{
    return sg_policy.is_guarded && policy_class_aligned(bytes, alignment) != CLASS_ZERO;
}

struct large_request sg_guarded_request(struct large_request request)
{
    request.at_the_end = true;
    request.sample = sg_sample_begin();
    return request;
}
