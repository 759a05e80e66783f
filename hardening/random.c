#include "random.h"

#include "os_random.h"

void sg_random_seed(struct random *random)
{
    (void)sg_os_random(random->state, sizeof(random->state));
    random->state[0] |= 1; /* all zero is the one state that never leaves itself */
}
