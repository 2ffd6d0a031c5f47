# wheels: numpy==2.5.5 scipy==1.18.1
"""SciPy: linear algebra, optimisation, integration, interpolation, statistics, sparse matrices, signals, special functions."""

import numpy as np
from scipy import fft, integrate, interpolate, linalg, ndimage, optimize, signal, sparse, spatial, special, stats
from scipy.sparse import linalg as sparse_linalg


def show(what, *values):
    print(what, *(np.round(np.asarray(value, dtype=float), 6).tolist() for value in values))


a = np.array([[4.0, 1.0, 0.0], [1.0, 3.0, 1.0], [0.0, 1.0, 2.0]])
show("solve", linalg.solve(a, [1, 2, 3]))
show("eigenvalues", linalg.eigvalsh(a))
lower, diagonal, order = linalg.ldl(a)
show("ldl", lower @ diagonal @ lower.T, order)
show("expm", linalg.expm(np.zeros((2, 2))), linalg.det(a))

found = optimize.minimize(lambda x: (x[0] - 1) ** 2 + (x[1] + 2) ** 2, [0, 0], method="BFGS")
show("minimize", np.round(found.x, 3) + 0.0)
show("root", optimize.brentq(lambda x: x**3 - 2, 0, 2))
line = optimize.linprog([-1, -2], A_ub=[[1, 1], [1, -1]], b_ub=[4, 2])
show("linprog", line.x, line.fun)
popt, _ = optimize.curve_fit(lambda x, k, c: k * x + c, np.arange(5.0), 2 * np.arange(5.0) + 1)
show("curve_fit", popt)

show("quad", integrate.quad(lambda x: x**2, 0, 3)[0])
solution = integrate.solve_ivp(lambda t, y: -y, (0, 1), [1.0], rtol=1e-8, atol=1e-10)
show("solve_ivp", np.round(solution.y[0, -1], 5))
x = np.linspace(0, 4, 5)
show("spline", interpolate.CubicSpline(x, x**3)([0.5, 2.5]), interpolate.interp1d(x, x * 2)([1.5]))

matrix = sparse.csr_matrix(a)
show("sparse", matrix.nnz, (matrix @ matrix).toarray(), sparse_linalg.spsolve(matrix.tocsc(), np.ones(3)))
show("norm", stats.norm.cdf([-1, 0, 1]), stats.norm.ppf(0.975))
show("ttest", *stats.ttest_ind([1, 2, 3, 4], [2, 3, 4, 6]))
show("describe", stats.describe([1, 2, 3, 4]).variance, stats.pearsonr([1, 2, 3], [1, 2, 4])[0])
show("special", special.gamma([0.5, 5]), special.erf(0.5), special.jv(0, 1.0), special.comb(5, 2))
b, c = signal.butter(2, 0.2)
show("signal", b, c, signal.lfilter(b, c, np.ones(4)), signal.find_peaks([0, 2, 0, 3, 0])[0])
show("fft", np.abs(fft.fft([1, 0, 0, 0])), fft.dct([1.0, 2.0, 3.0]))
show("ndimage", ndimage.gaussian_filter(np.eye(3), 1), ndimage.label([[1, 0, 1]])[1])
tree = spatial.KDTree([[0, 0], [1, 1], [2, 2]])
show("kdtree", *tree.query([1.2, 1.1]), spatial.distance.pdist([[0, 0], [3, 4]]))
show("hull", sorted(spatial.ConvexHull([[0, 0], [2, 0], [1, 1], [2, 2], [0, 2]]).vertices))

for bad in (lambda: linalg.solve(np.zeros((2, 2)), [1, 1]), lambda: optimize.brentq(abs, 1, 2), lambda: linalg.inv([1, 2])):
    try:
        print(bad())
    except Exception as error:
        print(type(error).__name__, error)
