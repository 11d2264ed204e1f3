network parameters {
    parameter hidden = 12
    parameter hidden = 13
    parameter leaky = 4
    parameter x = 2
    parameter zero_size = hidden - 12
    input x = rate(hiden)
    layer a = dense(later / 2) from x
    layer b = dense(hidden / 7) from x
    layer c = dense(zero_size) from x
    layer d = dense(hiddn * 2) from x
    layer e = dense(1 / zero_size) from x
    layer f = dense("a" + 1) from x
    layer g = dense(-leaky) from x
    layer h = dense(4) from hidden
    parameter later = 8
}
