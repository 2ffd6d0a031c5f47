/* Shared by the shims. A shim packs its `...` into a va_list and hands its address to Rust, which fetches arguments with the
   adder_va_* functions: stable Rust can neither define nor take a va_list. */
#ifndef ADDER_VARARGS_H
#define ADDER_VARARGS_H
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

typedef struct _object PyObject;
typedef intptr_t Py_ssize_t;

#define EXPORT(type) __attribute__((visibility("default"))) type

/* Runs `call` with `args` as the open arguments after `last`. */
#define WITH_ARGS(type, last, call)                                            \
    va_list args;                                                              \
    va_start(args, last);                                                      \
    type result = (call);                                                      \
    va_end(args);                                                              \
    return result

/* As WITH_ARGS, where `fast` may answer first: with what is not 0. */
#define TRY_WITH_ARGS(type, last, fast, call)                                  \
    va_list args;                                                              \
    va_start(args, last);                                                      \
    type result = (fast);                                                      \
    va_end(args);                                                              \
    if (result)                                                                \
        return result;                                                         \
    va_start(args, last);                                                      \
    result = (call);                                                           \
    va_end(args);                                                              \
    return result

/* Runs `call` with `args` as a copy of the list `vargs`: the caller's list does not move. */
#define WITH_COPY(type, vargs, call)                                           \
    va_list args;                                                              \
    va_copy(args, vargs);                                                      \
    type result = (call);                                                      \
    va_end(args);                                                              \
    return result

#endif
