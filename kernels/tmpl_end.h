/* tmpl_end.h -- undoes tmpl_begin.h, so that the next type can start afresh. */
#undef elem
#undef acc
#undef vec
#undef part
#undef vacc
#undef vwide
#undef vbits
#undef nans
#undef NO_NAN
#undef IS_FLOAT
#undef IS_HALF
#undef FN
#undef T
