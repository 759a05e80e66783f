/* A library that is opened later, with each kind of data. */
void *module_data[2] = {&module_data, 0};
void *module_zeroes;
static __thread void *storage;

void **module_storage(void)
{
    return &storage;
}
