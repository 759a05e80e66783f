#include "probe.h"

int plugin_state = 7;
static char plugin_hidden[64];

__attribute__((noinline)) int plugin_enter(int value)
{
    plugin_hidden[value & 63] = 1;
    probe_stack(); /* PLUGIN */
    return plugin_state + plugin_hidden[0];
}

__attribute__((noinline)) void plugin_data(void)
{
    probe_data(&plugin_hidden[5]);
    probe_data(&plugin_state);
}
