/* A vector of pointers is cleared; what they point to stays. */
#include "sample.h"
#include <cstdio>
#include <string>
#include <vector>

struct Document {
    std::string title = "a title that is long enough to need memory of its own";
    long words = 0;
};

static NOINLINE void open_document(std::vector<Document *> &documents)
{
    documents.push_back(new Document); /* ALLOC */
}

static NOINLINE void close_all(std::vector<Document *> &documents)
{
    for (Document *document : documents)
        if (IS_FIXED)
            delete document;
    documents.clear();
    documents.shrink_to_fit();
}

int main()
{
    std::vector<Document *> documents;

    for (int i = 0; i < 6; i++)
        open_document(documents);
    close_all(documents);
    forget();
    std::printf("%zu\n", documents.size());
    return 0;
}
