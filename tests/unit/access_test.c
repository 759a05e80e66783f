/* How many bytes an instruction touches, from its encoding. Encodings by GNU as 2.40. */
#include "access.h"
#include "test.h"

#include <string.h>
#include <sys/mman.h>

#if defined(__x86_64__)

struct sample {
    const char *text;
    uint32_t bytes;
    uint8_t code[ACCESS_CODE_BYTES];
};

static const struct sample samples[] = {
    {"movb %al,(%rdi)", 1, {0x88, 0x07}},
    {"movw %ax,(%rdi)", 2, {0x66, 0x89, 0x07}},
    {"movl %eax,(%rdi)", 4, {0x89, 0x07}},
    {"movq %rax,(%rdi)", 8, {0x48, 0x89, 0x07}},
    {"movl (%rdi),%eax", 4, {0x8b, 0x07}},
    {"movq (%r9),%r8", 8, {0x4d, 0x8b, 0x01}},
    {"movb $1,3(%rax)", 1, {0xc6, 0x40, 0x03, 0x01}},
    {"movl $1,(%rax)", 4, {0xc7, 0x00, 1, 0, 0, 0}},
    {"cmpb $0,(%rax)", 1, {0x80, 0x38, 0x00}},
    {"addl $1,(%rax)", 4, {0x83, 0x00, 0x01}},
    {"lock incl (%rax)", 4, {0xf0, 0xff, 0x00}},
    {"testb %al,(%rdi)", 1, {0x84, 0x07}},
    {"addq (%rdi),%rax", 8, {0x48, 0x03, 0x07}},
    {"movzbl (%rdi),%eax", 1, {0x0f, 0xb6, 0x07}},
    {"movsbq (%rdi),%rax", 1, {0x48, 0x0f, 0xbe, 0x07}},
    {"movzwl (%rdi),%eax", 2, {0x0f, 0xb7, 0x07}},
    {"movslq (%rdi),%rax", 4, {0x48, 0x63, 0x07}},
    {"movl %fs:(%rdi),%eax", 4, {0x64, 0x8b, 0x07}},
    {"rep stosb", 1, {0xf3, 0xaa}},
    {"rep movsq", 8, {0xf3, 0x48, 0xa5}},
    {"movups %xmm0,(%rdi)", 16, {0x0f, 0x11, 0x07}},
    {"movss (%rdi),%xmm0", 4, {0xf3, 0x0f, 0x10, 0x07}},
    {"movsd (%rdi),%xmm0", 8, {0xf2, 0x0f, 0x10, 0x07}},
    {"movdqu (%rdi),%xmm0", 16, {0xf3, 0x0f, 0x6f, 0x07}},
    {"movaps %xmm0,(%rdi)", 16, {0x0f, 0x29, 0x07}},
    {"movq %xmm0,(%rdi)", 8, {0x66, 0x0f, 0xd6, 0x07}},
    {"movd %xmm0,(%rdi)", 4, {0x66, 0x0f, 0x7e, 0x07}},
    {"movq (%rdi),%xmm0", 8, {0xf3, 0x0f, 0x7e, 0x07}},
    {"movq (%rdi),%mm0", 8, {0x0f, 0x6f, 0x07}},
    {"vmovdqu (%rdi),%ymm0", 32, {0xc5, 0xfe, 0x6f, 0x07}},
    {"vmovdqu (%rdi),%xmm0", 16, {0xc5, 0xfa, 0x6f, 0x07}},
    {"vpcmpeqb (%rdi),%ymm0,%ymm1", 32, {0xc5, 0xfd, 0x74, 0x0f}},
    {"vmovdqu (%r8),%ymm0", 32, {0xc4, 0xc1, 0x7e, 0x6f, 0x00}},
    {"vmovdqu64 (%rdi),%zmm0", 64, {0x62, 0xf1, 0xfe, 0x48, 0x6f, 0x07}},
    {"cmovne (%rdi),%rax", 8, {0x48, 0x0f, 0x45, 0x07}},
    {"sete (%rdi)", 1, {0x0f, 0x94, 0x07}},
    {"lock cmpxchgl %ecx,(%rdi)", 4, {0xf0, 0x0f, 0xb1, 0x0f}},
    {"shlb (%rdi)", 1, {0xd0, 0x27}},
    {"sarl %cl,(%rdi)", 4, {0xd3, 0x3f}},
    {"shlq $3,(%rdi)", 8, {0x48, 0xc1, 0x27, 0x03}},
    {"notb (%rdi)", 1, {0xf6, 0x17}},
    {"cmpsb", 1, {0xa6}},
    {"scasl", 4, {0xaf}},
    {"movl %cs:(%rdi),%eax", 4, {0x2e, 0x8b, 0x07}},
    {"movb %ds:(%rdi),%al", 1, {0x3e, 0x8a, 0x07}},
    {"movl %gs:(%rdi),%eax", 4, {0x65, 0x8b, 0x07}},
    {"movw with the same prefix four times", 2, {0x66, 0x66, 0x66, 0x66, 0x89, 0x07}},
    {"movd (%rdi),%xmm0", 4, {0x66, 0x0f, 0x6e, 0x07}},
    {"movq (%rdi),%xmm0 by REX.W", 8, {0x66, 0x48, 0x0f, 0x6e, 0x07}},
    {"movq %xmm0,(%rdi) by REX.W", 8, {0x66, 0x48, 0x0f, 0x7e, 0x07}},
    {"vmovq (%rdi),%xmm0", 8, {0xc4, 0xe1, 0xf9, 0x6e, 0x07}},
    {"vmovups (%rdi),%xmm0", 16, {0xc5, 0xf8, 0x10, 0x07}},
    {"vmovss (%rdi),%xmm0", 4, {0xc5, 0xfa, 0x10, 0x07}},
    {"lea: touches nothing", 0, {0x48, 0x8d, 0x07}},
    {"add $1,%al: touches nothing", 0, {0x04, 0x01}},
    {"test $1,%al: touches nothing", 0, {0xa8, 0x01}},
    {"mov $1,%al: touches nothing", 0, {0xb0, 0x01}},
    {"82: no instruction", 0, {0x82, 0x07}},
    {"syscall: not told", 0, {0x0f, 0x05}},
    {"fld (%rdi): not told", 0, {0xd9, 0x07}},
    {"vpgatherdd: not told", 0, {0xc4, 0xe2, 0x75, 0x90, 0x04, 0x07}},
};

TEST(the_bytes_of_each_form_are_told)
{
    for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++) {
        uint32_t bytes = sg_access_of_code(samples[i].code);

        if (bytes != samples[i].bytes)
            printf("# %s: %u\n", samples[i].text, bytes);
        EXPECT_EQUAL(bytes, samples[i].bytes);
    }
}

#endif

TEST(code_that_ends_with_its_page_is_read_no_further)
{
    uint8_t *pages = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    EXPECT(sg_access_bytes(8) == 0);
    EXPECT(pages != MAP_FAILED);
    memset(pages, 0x88, 8192);                                 /* movb %cl,... */
    EXPECT_EQUAL(sg_access_bytes((uintptr_t)pages + 4095), 1); /* goes on where it can be read */
    EXPECT(mprotect(pages + 4096, 4096, PROT_NONE) == 0);
    EXPECT_EQUAL(sg_access_bytes((uintptr_t)pages + 4095), 1);
    EXPECT_EQUAL(sg_access_bytes((uintptr_t)pages + 4096), 0);
    munmap(pages, 8192);
}
