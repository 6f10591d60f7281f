"""`gamyeong assess`: what is measured for the identification-risk review, and its report."""
