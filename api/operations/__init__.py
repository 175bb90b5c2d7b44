"""Operations that jobs can be submitted to."""
