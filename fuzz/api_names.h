/* The interface under names of its own: included before all else in its files and in those that
 * call it by these names, so that the harness keeps libc's malloc. */
#ifndef SG_FUZZ_API_NAMES_H
#define SG_FUZZ_API_NAMES_H

#define malloc sg_api_malloc
#define free sg_api_free
#define calloc sg_api_calloc
#define realloc sg_api_realloc
#define reallocarray sg_api_reallocarray
#define aligned_alloc sg_api_aligned_alloc
#define posix_memalign sg_api_posix_memalign
#define memalign sg_api_memalign
#define valloc sg_api_valloc
#define pvalloc sg_api_pvalloc
#define cfree sg_api_cfree
#define free_sized sg_api_free_sized
#define free_aligned_sized sg_api_free_aligned_sized
#define malloc_usable_size sg_api_malloc_usable_size
#define malloc_trim sg_api_malloc_trim
#define mallopt sg_api_mallopt
#define mallinfo sg_api_mallinfo
#define mallinfo2 sg_api_mallinfo2
#define malloc_info sg_api_malloc_info
#define malloc_stats sg_api_malloc_stats
#define __libc_malloc sg_api___libc_malloc
#define __libc_calloc sg_api___libc_calloc
#define __libc_realloc sg_api___libc_realloc
#define __libc_free sg_api___libc_free
#define __libc_memalign sg_api___libc_memalign
#define __libc_valloc sg_api___libc_valloc
#define __libc_pvalloc sg_api___libc_pvalloc
#define __posix_memalign sg_api___posix_memalign
#define _Znwm sg_api__Znwm
#define _Znam sg_api__Znam
#define _ZnwmRKSt9nothrow_t sg_api__ZnwmRKSt9nothrow_t
#define _ZnamRKSt9nothrow_t sg_api__ZnamRKSt9nothrow_t
#define _ZnwmSt11align_val_t sg_api__ZnwmSt11align_val_t
#define _ZnamSt11align_val_t sg_api__ZnamSt11align_val_t
#define _ZnwmSt11align_val_tRKSt9nothrow_t sg_api__ZnwmSt11align_val_tRKSt9nothrow_t
#define _ZnamSt11align_val_tRKSt9nothrow_t sg_api__ZnamSt11align_val_tRKSt9nothrow_t
#define _ZdlPv sg_api__ZdlPv
#define _ZdaPv sg_api__ZdaPv
#define _ZdlPvm sg_api__ZdlPvm
#define _ZdaPvm sg_api__ZdaPvm
#define _ZdlPvRKSt9nothrow_t sg_api__ZdlPvRKSt9nothrow_t
#define _ZdaPvRKSt9nothrow_t sg_api__ZdaPvRKSt9nothrow_t
#define _ZdlPvSt11align_val_t sg_api__ZdlPvSt11align_val_t
#define _ZdaPvSt11align_val_t sg_api__ZdaPvSt11align_val_t
#define _ZdlPvmSt11align_val_t sg_api__ZdlPvmSt11align_val_t
#define _ZdaPvmSt11align_val_t sg_api__ZdaPvmSt11align_val_t
#define _ZdlPvSt11align_val_tRKSt9nothrow_t sg_api__ZdlPvSt11align_val_tRKSt9nothrow_t
#define _ZdaPvSt11align_val_tRKSt9nothrow_t sg_api__ZdaPvSt11align_val_tRKSt9nothrow_t

/* What the operators call each other by; other names of theirs are aliases. */
#define sg_delete sg_api_sg_delete
#define sg_delete_aligned sg_api_sg_delete_aligned
#define sg_delete_array sg_api_sg_delete_array
#define sg_delete_array_aligned sg_api_sg_delete_array_aligned
#define sg_new sg_api_sg_new
#define sg_new_aligned sg_api_sg_new_aligned
#define sg_new_array sg_api_sg_new_array
#define sg_new_array_aligned sg_api_sg_new_array_aligned

/* An alias is of a name in quotes, which the lines above do not reach. */
#define alias(name) alias("sg_api_" name)

#endif
