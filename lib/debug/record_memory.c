#include "record_memory.h"

#include "metadata.h"

void *sg_record_memory(bool is_first)
{
    void *memory = sg_metadata_map_aligned(RECORD_MEMORY_BYTES, RECORD_MEMORY_BYTES);

    if (memory != NULL && !is_first)
        sg_os_prefer_huge(memory, RECORD_MEMORY_BYTES);
    return memory;
}
