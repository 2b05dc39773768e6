/* gws_kernels.h: the loops over samples, for one target or another. All give the same numbers as
 * the portable ones. A generated check (gen/make_tables.cc) proves that no sum leaves 32 bits and
 * that nothing here needs saturation. */
#ifndef GWS_KERNELS_H
#define GWS_KERNELS_H

#include "gws_internal.h"
#if defined(__ARM_FEATURE_DSP) && !defined(GWS_PORTABLE)
#include "gws_kernels_dsp.h"
#else
#include "gws_kernels_portable.h"
#endif

#endif
