/* A decoder for the forms in which compilers and string functions touch memory on x86-64 (Intel SDM
 * volume 2, appendix A). What it does not know it does not guess. */
#include "access.h"

#include "os_process.h"

struct instruction {
    const uint8_t *code;
    bool operand16;  /* prefix 66 */
    uint8_t repeat;  /* F2, F3 or 0 */
    bool wide;       /* REX.W or VEX.W */
    uint8_t map;     /* 0: one byte, 1: 0F */
    uint32_t vector; /* bytes of the vector registers of VEX and EVEX; 0: neither */
    uint8_t opcode;
};

static void read_prefixes(struct instruction *instruction)
{
    for (int i = 0; i < 4; i++, instruction->code++) {
        uint8_t byte = *instruction->code;

        if (byte == 0x66)
            instruction->operand16 = true;
        else if (byte == 0xf2 || byte == 0xf3)
            instruction->repeat = byte;
        else if (byte != 0x2e && byte != 0x3e && byte != 0x64 && byte != 0x65 && byte != 0xf0)
            break;
    }
    if ((*instruction->code & 0xf0) == 0x40)
        instruction->wide = (*instruction->code++ & 8) != 0;
}

/* The prefix that VEX and EVEX hold in two bits. */
static void set_implied(struct instruction *instruction, uint8_t bits)
{
    static const uint8_t repeats[4] = {0, 0, 0xf3, 0xf2};

    instruction->operand16 = (bits & 3) == 1;
    instruction->repeat = repeats[bits & 3];
}

static void read_vex(struct instruction *instruction)
{
    const uint8_t *code = instruction->code;
    bool is_short = code[0] == 0xc5;
    uint8_t last = is_short ? code[1] : code[2];

    instruction->map = is_short ? 1 : code[1] & 31;
    instruction->wide = !is_short && (last & 0x80) != 0;
    instruction->vector = (last & 4) != 0 ? 32 : 16;
    set_implied(instruction, last);
    instruction->code += is_short ? 2 : 3;
}

static void read_evex(struct instruction *instruction)
{
    const uint8_t *code = instruction->code;

    instruction->map = code[1] & 7;
    instruction->wide = (code[2] & 0x80) != 0;
    instruction->vector = 16u << (code[3] >> 5 & 3);
    set_implied(instruction, code[2]);
    instruction->code += 4;
}

static void read_opcode(struct instruction *instruction)
{
    if (*instruction->code == 0xc5 || *instruction->code == 0xc4)
        read_vex(instruction);
    else if (*instruction->code == 0x62)
        read_evex(instruction);
    else if (*instruction->code == 0x0f) {
        instruction->map = 1;
        instruction->code++;
    }
    instruction->opcode = *instruction->code;
}

static uint32_t operand_bytes(const struct instruction *instruction)
{
    if (instruction->wide)
        return 8;
    return instruction->operand16 ? 2 : 4;
}

/* One byte if the lowest bit of the opcode is clear, else a register's worth. */
static uint32_t by_lowest_bit(const struct instruction *instruction)
{
    return (instruction->opcode & 1) == 0 ? 1 : operand_bytes(instruction);
}

static uint32_t of_general(const struct instruction *instruction)
{
    uint8_t opcode = instruction->opcode;

    if (opcode == 0x63) /* movsxd */
        return 4;
    if (opcode < 0x40 && (opcode & 7) < 4) /* add, or, ... cmp */
        return by_lowest_bit(instruction);
    if (opcode >= 0x80 && opcode <= 0x8b) /* with a constant, test, xchg, mov */
        return opcode == 0x82 ? 0 : by_lowest_bit(instruction);
    if ((opcode & 0xfe) == 0xc6 || opcode >= 0xfe || (opcode & 0xfe) == 0xf6)
        return by_lowest_bit(instruction);
    if ((opcode & 0xfe) == 0xc0 || (opcode & 0xfc) == 0xd0) /* shifts */
        return by_lowest_bit(instruction);
    if ((opcode >= 0xa4 && opcode <= 0xa7) || (opcode >= 0xaa && opcode <= 0xaf))
        return by_lowest_bit(instruction); /* string instructions: one step of them */
    return 0;
}

/* A scalar, or all of a register. */
static uint32_t of_vector_move(const struct instruction *instruction)
{
    if (instruction->repeat == 0xf3)
        return 4;
    if (instruction->repeat == 0xf2)
        return 8;
    return instruction->vector != 0 ? instruction->vector : 16;
}

/* What the second byte of an opcode behind 0F says of the memory operand. */
enum form {
    FORM_UNKNOWN = 0,
    FORM_1,
    FORM_2,
    FORM_8,
    FORM_OPERAND,     /* a general register's worth */
    FORM_LOWEST,      /* or one byte, by the lowest bit */
    FORM_MOVE,        /* a scalar, or all of a vector */
    FORM_WHOLE,       /* all of a vector */
    FORM_MMX,         /* the same, 8 without a prefix */
    FORM_TO_VECTOR,   /* 6E */
    FORM_FROM_VECTOR, /* 7E */
};

static const uint8_t forms[256] = {
    [0x10 ... 0x11] = FORM_MOVE,
    [0x12 ... 0x13] = FORM_8, /* halves */
    [0x16 ... 0x17] = FORM_8,
    [0x28 ... 0x29] = FORM_WHOLE, /* aligned */
    [0x2b] = FORM_WHOLE,          /* past the cache */
    [0x40 ... 0x4f] = FORM_OPERAND,
    [0x51] = FORM_MOVE, /* sqrt, add, mul, sub, min, div, max */
    [0x58 ... 0x59] = FORM_MOVE,
    [0x5c ... 0x5f] = FORM_MOVE,
    [0x6e] = FORM_TO_VECTOR,
    [0x6f] = FORM_MMX,
    [0x74 ... 0x76] = FORM_WHOLE, /* what string functions compare with */
    [0x7e] = FORM_FROM_VECTOR,
    [0x7f] = FORM_MMX,
    [0x90 ... 0x9f] = FORM_1,
    [0xaf] = FORM_OPERAND,
    [0xb0 ... 0xb1] = FORM_LOWEST,
    [0xb6] = FORM_1,
    [0xb7] = FORM_2,
    [0xbe] = FORM_1,
    [0xbf] = FORM_2,
    [0xc0 ... 0xc1] = FORM_LOWEST,
    [0xd6] = FORM_8,
    [0xda] = FORM_WHOLE,
    [0xde] = FORM_WHOLE,
    [0xe7] = FORM_WHOLE,
    [0xeb] = FORM_WHOLE,
    [0xef] = FORM_WHOLE,
};

static uint32_t of_extended(const struct instruction *instruction)
{
    uint32_t whole = instruction->vector != 0 ? instruction->vector : 16;
    bool is_vector = instruction->operand16 || instruction->repeat != 0 || instruction->vector != 0;

    switch ((enum form)forms[instruction->opcode]) {
    case FORM_1:
        return 1;
    case FORM_2:
        return 2;
    case FORM_8:
        return 8;
    case FORM_OPERAND:
        return operand_bytes(instruction);
    case FORM_LOWEST:
        return by_lowest_bit(instruction);
    case FORM_MOVE:
        return of_vector_move(instruction);
    case FORM_WHOLE:
        return whole;
    case FORM_MMX:
        return is_vector ? whole : 8;
    case FORM_TO_VECTOR:
        return instruction->wide ? 8 : 4;
    case FORM_FROM_VECTOR:
        return instruction->repeat == 0xf3 || instruction->wide ? 8 : 4;
    case FORM_UNKNOWN:
    default:
        return 0;
    }
}

uint32_t sg_access_of_code(const uint8_t code[ACCESS_CODE_BYTES])
{
#if defined(__x86_64__)
    struct instruction instruction = {.code = code};

    read_prefixes(&instruction);
    read_opcode(&instruction);
    if (instruction.map == 0)
        return of_general(&instruction);
    return instruction.map == 1 ? of_extended(&instruction) : 0;
#else
    (void)code;
    return 0;
#endif
}

uint32_t sg_access_bytes(uintptr_t pc)
{
    uint8_t code[ACCESS_CODE_BYTES] = {0};

    if (!sg_os_is_readable(pc & ~(uintptr_t)7))
        return 0;
    for (size_t i = 0; i < sizeof(code); i++) {
        if (((pc + i) & 4095) == 0 && !sg_os_is_readable(pc + i))
            break;
        code[i] = *(const volatile uint8_t *)(pc + i);
    }
    return sg_access_of_code(code);
}
