network expressions {
    input x = rate(8 +)
    layer a = dense((4) from x
    layer b = dense(2 * (3 + 1)) from a { stride = 1 }
    layer c = dense(2 * * 3) from a
    layer d = dense(9223372036854775807 * 2) from b
    layer e = dense(- - 3 - -4 / 2) from b
}
